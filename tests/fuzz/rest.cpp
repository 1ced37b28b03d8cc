// REST from the bytes of a request to a checked batch and an answer. The input is the request's target, a line with
// the length of its JSON or '-', and the body.
#include "infoscissors/front/reply.h"
#include "infoscissors/front/request.h"
#include "tests/fuzz/refuses.h"

#include <memory>
#include <string_view>
#include <vector>

using namespace infoscissors;

namespace {

const wire::Signature kSignature{.input = {.name = "r", .datatype = wire::DataType::fp32, .shape = {-1, 2, 2}},
                                 .output = {.name = "v", .datatype = wire::DataType::fp32, .shape = {-1, 2}}};

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

void answer(const front::InferRequest& parsed, std::int64_t rows) {
  const std::vector<float> values(static_cast<std::size_t>(rows) * 2, 0.5F);
  wire::Response response;
  response.model = parsed.request.model;
  response.id = parsed.request.id;
  response.parameters = parsed.request.parameters;
  response.outputs.emplace_back(
      "v", wire::DataType::fp32, wire::Shape{rows, 2},
      std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  const auto reply = front::reply_infer(response, parsed.form);
  const auto json = reply.json_length.value_or(reply.body.size());
  fuzz::require(base::Json::accept(reply.body.substr(0, json)), "an answer's JSON is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  const auto target = take_line(rest);
  const auto length = take_line(rest);
  const auto body = std::make_shared<const std::string>(rest);
  fuzz::accepts(
      [&] {
        const auto route = front::parse_route(target);
        const auto parsed =
            front::parse_infer(route, length == "-" ? std::nullopt : std::optional<std::string_view>(length), body,
                               [] { return kSignature; });
        const wire::Limits limits;
        wire::check_names(parsed.request, limits);
        const auto rows = wire::check(parsed.request, kSignature, limits);
        const auto floats = std::make_unique<float[]>(static_cast<std::size_t>(rows.count * rows.row_elements));
        rows.copy_to(floats.get());
        answer(parsed, rows.count);
      },
      1024);
  return 0;
}
