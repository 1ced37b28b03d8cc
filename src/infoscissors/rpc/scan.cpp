#include "infoscissors/rpc/scan.h"

#include "infoscissors/wire/error.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace infoscissors::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using wire::Code;
using wire::Error;

// Field numbers of the protocol.
constexpr int kParameters = 4, kInputs = 5, kOutputs = 6, kRawContents = 7;                   // of the request
constexpr int kInputShape = 3, kInputParameters = 4, kInputContents = 5;                      // of an input
constexpr int kOutputParameters = 2;                                                          // of an output
constexpr int kIntContents = 2, kUintContents = 4, kFloatContents = 6, kLargestContents = 8;  // of contents

constexpr int kMaxTensors = 16, kMaxParameters = 32, kMaxRank = 8, kLongestVarint = 10, kMaxFields = 64;

[[noreturn]] void malformed() {
  throw Error(Code::invalid_argument, "the message is no ModelInferRequest");
}

void limit(int count, int most, const char* what) {
  if (count > most) throw Error(Code::invalid_argument, "more than {} {}", most, what);
}

struct Field {
  int number = 0;
  WireFormatLite::WireType type{};
  std::string_view whole;    // with tag
  std::string_view content;  // of a length-delimited one
};

/// Calls `visit` for every field of a message.
template <class Visit>
void each_field(std::string_view message, Visit visit) {
  if (message.size() > std::size_t{1} << 30) malformed();
  CodedInputStream input(reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
  while (true) {
    const auto begin = static_cast<std::size_t>(input.CurrentPosition());
    const auto tag = input.ReadTag();
    if (tag == 0) {
      if (begin != message.size()) malformed();
      return;
    }
    Field field;
    field.number = WireFormatLite::GetTagFieldNumber(tag);
    field.type = WireFormatLite::GetTagWireType(tag);
    if (field.number == 0) malformed();
    if (field.type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      std::uint32_t length = 0;
      if (!input.ReadVarint32(&length)) malformed();
      const auto at = static_cast<std::size_t>(input.CurrentPosition());
      if (length > message.size() - at || !input.Skip(static_cast<int>(length))) malformed();
      field.content = message.substr(at, length);
    } else if (!WireFormatLite::SkipField(&input, tag)) {
      malformed();
    }
    field.whole = message.substr(begin, static_cast<std::size_t>(input.CurrentPosition()) - begin);
    visit(field);
  }
}

bool is_message(const Field& field) {
  return field.type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
}

void scan_contents(std::string_view contents) {
  each_field(contents, [](const Field& field) {
    if (field.number == kIntContents || field.number == kUintContents || field.number == kFloatContents) return;
    if (field.number > kLargestContents) malformed();
    throw Error(Code::invalid_argument, "typed contents are served as int_contents, uint_contents and fp32_contents");
  });
}

void scan_input(std::string_view input) {
  int rank = 0, parameters = 0, fields = 0;
  each_field(input, [&](const Field& field) {
    if (field.number == kInputShape) {
      if (is_message(field) && field.content.size() > kMaxRank * kLongestVarint) rank = kMaxRank;
      limit(++rank, kMaxRank, "dimensions in an input");
    } else if (field.number == kInputParameters) {
      limit(++parameters, kMaxParameters, "parameters in an input");
    } else if (field.number == kInputContents && is_message(field)) {
      scan_contents(field.content);
      limit(++fields, kMaxFields, "fields in an input");
    } else {
      limit(++fields, kMaxFields, "fields in an input");
    }
  });
}

void scan_output(std::string_view output) {
  int parameters = 0, fields = 0;
  each_field(output, [&](const Field& field) {
    if (field.number == kOutputParameters) {
      limit(++parameters, kMaxParameters, "parameters in a requested output");
    } else {
      limit(++fields, kMaxFields, "fields in a requested output");
    }
  });
}

}  // namespace

Scanned scan(std::string_view message) {
  Scanned scanned;
  int parameters = 0, inputs = 0, outputs = 0, fields = 0;
  each_field(message, [&](const Field& field) {
    if (field.number > kRawContents) return;  // from a later version of the protocol
    if (field.number == kRawContents) {
      if (!is_message(field)) malformed();
      scanned.raw.push_back(field.content);
      limit(static_cast<int>(scanned.raw.size()), kMaxTensors, "raw_input_contents");
      return;
    }
    if (field.number == kParameters) {
      limit(++parameters, kMaxParameters, "parameters");
    } else if (field.number == kInputs && is_message(field)) {
      limit(++inputs, kMaxTensors, "inputs");
      scan_input(field.content);
    } else if (field.number == kOutputs && is_message(field)) {
      limit(++outputs, kMaxTensors, "requested outputs");
      scan_output(field.content);
    } else {
      limit(++fields, kMaxFields, "fields in the request");
    }
    scanned.rest.append(field.whole);
  });
  return scanned;
}

}  // namespace infoscissors::rpc
