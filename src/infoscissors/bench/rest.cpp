#include "infoscissors/bench/rest.h"

#include "infoscissors/base/error.h"

#ifdef INFOSCISSORS_FETCH

#include "infoscissors/base/json.h"
#include "infoscissors/wire/error.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace infoscissors::bench {
namespace {

using base::Json;
using client::Clock;
using wire::Code;
using wire::Error;

constexpr const char* kJsonLength = "Inference-Header-Content-Length";

Json to_json(const wire::Parameters& parameters) {
  Json object = Json::object();
  for (const auto& [key, value] : parameters) {
    std::visit([&, &name = key](const auto& v) { object[name] = v; }, value);
  }
  return object;
}

/// The JSON part, and after it the tensors.
struct Body {
  std::size_t json_length = 0;
  std::string bytes;
};

Body to_body(const wire::Request& request) {
  Json inputs = Json::array();
  for (const auto& tensor : request.inputs) {
    inputs.push_back({{"name", tensor.name},
                      {"datatype", wire::name(tensor.datatype)},
                      {"shape", tensor.shape},
                      {"parameters", {{"binary_data_size", tensor.data.size()}}}});
  }
  Json parameters = to_json(request.parameters);
  parameters["binary_data_output"] = true;
  Body body{.bytes = Json{{"id", request.id}, {"parameters", parameters}, {"inputs", inputs}}.dump()};
  body.json_length = body.bytes.size();
  for (const auto& tensor : request.inputs) body.bytes.append(tensor.data);
  return body;
}

wire::Parameters parameters_of(const Json& object) {
  wire::Parameters parameters;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) parameters[key] = value.get<std::string>();
    if (value.is_number_integer()) parameters[key] = value.get<std::int64_t>();
  }
  return parameters;
}

wire::Response parse(const std::shared_ptr<const std::string>& body, std::size_t json_length) {
  const auto document = Json::parse(body->begin(), body->begin() + static_cast<std::ptrdiff_t>(json_length));
  wire::Response response;
  response.id = document.value("id", "");
  response.model = document.value("model_name", "");
  response.version = document.value("model_version", "");
  if (document.contains("parameters")) response.parameters = parameters_of(document.at("parameters"));
  std::string_view rest(*body);
  rest.remove_prefix(json_length);
  for (const auto& output : document.at("outputs")) {
    const auto size = output.at("parameters").at("binary_data_size").get<std::size_t>();
    if (size > rest.size()) throw Error(Code::internal, "the answer is shorter than it says");
    response.outputs.emplace_back(output.at("name").get<std::string>(),
                                  wire::parse_datatype(output.at("datatype").get<std::string>()),
                                  output.at("shape").get<wire::Shape>(), rest.substr(0, size));
    rest.remove_prefix(size);
  }
  response.keep = body;
  return response;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* target) {
  static_cast<std::string*>(target)->append(data, size * count);
  return size * count;
}

/// A server's refusal as its gRPC counterpart would say it.
Code code_of(long status) {
  constexpr Code kKnown[] = {Code::invalid_argument, Code::not_found,   Code::unavailable,     Code::too_large,
                             Code::limited,          Code::unsupported, Code::unauthenticated, Code::permission_denied,
                             Code::deadline,         Code::cancelled};
  const auto* found =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](Code c) { return wire::http_status(c) == status; });
  return found == std::end(kKnown) ? Code::internal : *found;
}

class RestTransport : public client::Transport {
 public:
  explicit RestTransport(std::string server) : server_(std::move(server)), curl_(curl_easy_init()) {
    if (curl_ == nullptr) throw base::Error("libcurl cannot be used");
    curl_easy_setopt(curl_, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_PROXY, "");
    curl_easy_setopt(curl_, CURLOPT_POST, 1L);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, append);
  }
  ~RestTransport() override { curl_easy_cleanup(curl_); }
  RestTransport(const RestTransport&) = delete;
  RestTransport& operator=(const RestTransport&) = delete;

  client::Reply infer(const wire::Request& request, Clock::time_point deadline, const std::stop_token&) override {
    const std::lock_guard lock(mutex_);
    const auto body = to_body(request);
    const auto answer = std::make_shared<std::string>();
    const auto path = fmt::format("http://{}/v2/models/{}/infer", server_, request.model);
    const auto json_length = post(path, body, deadline, *answer);
    client::Reply reply;
    reply.bytes_sent = body.bytes.size();
    reply.bytes_received = answer->size();
    try {
      reply.response = parse(answer, json_length);
    } catch (const Json::exception& error) {
      throw Error(Code::internal, "{}: {}", server_, error.what());
    }
    return reply;
  }

  client::ModelMetadata metadata(const std::string&, Clock::time_point, const std::stop_token&) override {
    throw Error(Code::unsupported, "not measured");
  }

  std::string destination() const override { return server_; }

 private:
  /// Returns the length of the answer's JSON part.
  std::size_t post(const std::string& url, const Body& body, Clock::time_point deadline, std::string& answer) {
    const auto length = fmt::format("{}: {}", kJsonLength, body.json_length);
    curl_slist* headers = curl_slist_append(nullptr, length.c_str());
    headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    headers = curl_slist_append(headers, "Expect:");  // no question whether a body may follow
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.bytes.data());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.bytes.size()));
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
    const auto result = curl_easy_perform(curl_);
    curl_slist_free_all(headers);
    if (result == CURLE_OPERATION_TIMEDOUT) throw Error(Code::deadline, "no answer within the deadline");
    if (result != CURLE_OK) throw Error(Code::unavailable, "{}", curl_easy_strerror(result));
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) throw Error(code_of(status), "{}", wire::printable(answer));
    return json_length(answer.size());
  }

  std::size_t json_length(std::size_t otherwise) const {
    curl_header* header = nullptr;
    if (curl_easy_header(curl_, kJsonLength, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return otherwise;
    const std::string_view text = header->value;
    std::size_t length = 0;
    std::from_chars(text.data(), text.data() + text.size(), length);
    if (length > otherwise) throw Error(Code::internal, "the answer is shorter than it says");
    return length;
  }

  const std::string server_;
  std::mutex mutex_;
  CURL* curl_;
};

}  // namespace

std::shared_ptr<client::Transport> connect_rest(const std::string& server) {
  return std::make_shared<RestTransport>(server);
}

}  // namespace infoscissors::bench

#else

namespace infoscissors::bench {

std::shared_ptr<client::Transport> connect_rest(const std::string& server) {
  throw base::Error("{}: REST needs the component \"fetch\" (libcurl), which this build lacks", server);
}

}  // namespace infoscissors::bench

#endif
