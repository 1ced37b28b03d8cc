#include "infoscissors/front/reply.h"

#include "infoscissors/wire/convert.h"

#include <cstring>
#include <iterator>
#include <utility>
#include <variant>

namespace infoscissors::front {
namespace {

using base::Json;
using wire::Code;
using wire::DataType;
using wire::Error;
using wire::Tensor;

std::string dump(const Json& document) {
  // Names are the client's and need not be UTF-8.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const wire::Parameters& parameters) {
  Json object = Json::object();
  for (const auto& [key, value] : parameters)
    std::visit([&, name = key](const auto& held) { object[name] = held; }, value);
  return object;
}

template <class Element>
void append_elements(std::string_view data, std::string& out) {
  fmt::memory_buffer buffer;
  for (std::size_t at = 0; at + sizeof(Element) <= data.size(); at += sizeof(Element)) {
    Element element;
    std::memcpy(&element, data.data() + at, sizeof element);
    if (at > 0) buffer.push_back(',');
    // Promoted, or an int8 would print as a character; a float prints as the shortest text that reads back as itself.
    fmt::format_to(std::back_inserter(buffer), "{}", +element);
  }
  out.append(buffer.data(), buffer.size());
}

void append_data(const Tensor& tensor, std::string& out) {
  if (!wire::all_finite(tensor.datatype, tensor.data)) {
    throw Error(Code::internal,
                "output '{}' has values that are not finite, which JSON cannot hold; ask for binary_data",
                wire::printable(tensor.name));
  }
  switch (tensor.datatype) {
    case DataType::fp32:
      return append_elements<float>(tensor.data, out);
    case DataType::fp64:
      return append_elements<double>(tensor.data, out);
    case DataType::int8:
      return append_elements<std::int8_t>(tensor.data, out);
    case DataType::uint8:
      return append_elements<std::uint8_t>(tensor.data, out);
    case DataType::int32:
      return append_elements<std::int32_t>(tensor.data, out);
    case DataType::int64:
      return append_elements<std::int64_t>(tensor.data, out);
    default:
      throw Error(Code::unsupported, "output '{}' is {}, which is not offered as JSON; ask for binary_data",
                  wire::printable(tensor.name), wire::name(tensor.datatype));
  }
}

// One output's object; its data is written by hand, for a document of a million numbers would be a hundred times their
// size.
void append_output(const Tensor& tensor, bool binary, std::string& out) {
  Json object = {{"name", tensor.name}, {"datatype", wire::name(tensor.datatype)}, {"shape", tensor.shape}};
  if (binary) object["parameters"] = {{"binary_data_size", tensor.data.size()}};
  out += dump(object);
  if (binary) return;
  out.back() = ',';
  out += "\"data\":[";
  append_data(tensor, out);
  out += "]}";
}

}  // namespace

Reply reply_json(const Json& document) {
  return {.status = 200, .content_type = "application/json", .body = dump(document)};
}

Reply reply_status(int status, std::string_view message) {
  auto reply = reply_json({{"error", message}});
  reply.status = status;
  return reply;
}

Reply reply_error(Code code, std::string_view message) {
  return reply_status(wire::http_status(code), message);
}

Reply reply_infer(const wire::Response& response, const OutputForm& form) {
  Json head = {{"model_name", response.model}, {"model_version", response.version}};
  if (!response.id.empty()) head["id"] = response.id;
  if (!response.parameters.empty()) head["parameters"] = to_json(response.parameters);
  Reply reply{.status = 200, .content_type = "application/json", .body = dump(head)};
  auto& body = reply.body;
  body.back() = ',';
  body += "\"outputs\":[";
  bool any_binary = false;
  for (const auto& output : response.outputs) {
    if (&output != &response.outputs.front()) body += ',';
    const bool binary = form.binary_for(output.name);
    any_binary = any_binary || binary;
    append_output(output, binary, body);
  }
  body += "]}";
  if (!any_binary) return reply;
  reply.content_type = "application/octet-stream";
  reply.json_length = body.size();
  for (const auto& output : response.outputs) {
    if (form.binary_for(output.name)) body += output.data;
  }
  return reply;
}

}  // namespace infoscissors::front
