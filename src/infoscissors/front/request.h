#pragma once

#include "infoscissors/front/route.h"
#include "infoscissors/wire/check.h"
#include "infoscissors/wire/tensor.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// From an HTTP request to a request of the protocol, without a socket.
namespace infoscissors::front {

/// Where the JSON ends and the tensors begin.
inline constexpr const char* kJsonLength = "Inference-Header-Content-Length";

/// Which outputs the client wants as bytes behind the JSON.
struct OutputForm {
  bool binary = false;                             // binary_data_output
  std::map<std::string, bool, std::less<>> named;  // binary_data of a requested output

  bool binary_for(std::string_view output) const;
};

struct InferRequest {
  wire::Request request;
  OutputForm form;
};

/// The value of kJsonLength in a body of `size` bytes. Throws wire::Error(invalid_argument) for anything but digits
/// and for more than there is.
std::size_t parse_json_length(std::string_view header, std::size_t size);

/// Parses the body of POST .../infer. `json_length` is kJsonLength's value where it was sent: 0 makes the whole body
/// the model's one input, FP32, in as many rows as fit; `signature` is asked for then and only then. The request's
/// tensors view into `body` or own their bytes. Throws wire::Error; messages never hold elements.
InferRequest parse_infer(const Route& route, std::optional<std::string_view> json_length,
                         std::shared_ptr<const std::string> body, const std::function<wire::Signature()>& signature);

}  // namespace infoscissors::front
