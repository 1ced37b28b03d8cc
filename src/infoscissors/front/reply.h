#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/front/request.h"
#include "infoscissors/wire/error.h"
#include "infoscissors/wire/tensor.h"

#include <optional>
#include <string>
#include <string_view>

/// From a response of the protocol to an HTTP answer, without a socket.
namespace infoscissors::front {

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::optional<std::size_t> json_length = {};  // where binary tensors follow the JSON
  std::string allow = {};                       // the methods of the path, where the request's is none of them
};

Reply reply_json(const base::Json& document);

/// {"error": message} with the code's HTTP status.
Reply reply_error(wire::Code code, std::string_view message);

/// The status for what the protocol's codes have none for: 405, 408.
Reply reply_status(int status, std::string_view message);

/// Throws wire::Error(internal) for an output that JSON cannot hold, NaN or infinite, though the client asked for JSON.
Reply reply_infer(const wire::Response& response, const OutputForm& form);

}  // namespace infoscissors::front
