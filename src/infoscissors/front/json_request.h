#pragma once

#include "infoscissors/wire/tensor.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::front {

/// An input as its JSON has it.
struct JsonInput {
  std::string name;
  std::optional<std::string> datatype;
  wire::Shape shape;
  bool has_shape = false;
  bool has_data = false;
  bool all_integers = true;
  std::vector<float> data;            // flattened
  std::vector<std::int64_t> nesting;  // lengths of the nested arrays that held it, outermost first
  std::optional<std::int64_t> binary_size;
};

/// The JSON of an inference request, checked for its form only.
struct JsonRequest {
  std::string id;
  wire::Parameters parameters;
  std::vector<JsonInput> inputs;
  std::vector<wire::RequestedOutput> outputs;
};

inline constexpr std::size_t kJsonDepth = 100;
inline constexpr std::size_t kJsonTensors = 16;  // inputs, and requested outputs
inline constexpr std::size_t kJsonParameters = 32;
inline constexpr std::size_t kJsonText = 1024;  // bytes of a key or string; the protocol's names are shorter still
inline constexpr std::size_t kJsonRank = 8;

/// Parses while it reads: no document is built, memory grows with the elements alone (4 bytes for at least 2 of text)
/// and the limits above are enforced before anything is stored. Keys that the protocol does not have are skipped, one
/// given twice is refused. Throws wire::Error(invalid_argument) that names the place by its offset, never the text.
JsonRequest parse_json_request(std::string_view text);

}  // namespace infoscissors::front
