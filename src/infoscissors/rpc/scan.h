#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::rpc {

/// What a ModelInferRequest's bytes hold, found without building any message.
struct Scanned {
  std::vector<std::string_view> raw;  // raw_input_contents
  std::string rest;                   // all other known fields, to be parsed as a ModelInferRequest
};

/// Walks the message. A message of a few bytes can ask a parser for hundreds of times its size (empty submessages,
/// unknown fields), so what is not served, and more of anything than is served, is refused here. Throws
/// wire::Error(invalid_argument).
Scanned scan(std::string_view message);

}  // namespace infoscissors::rpc
