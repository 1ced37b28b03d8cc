#pragma once

#include <string>
#include <string_view>

namespace infoscissors::front {

/// What a path asks for.
struct Route {
  enum class Kind { server_metadata, live, ready, model_metadata, model_ready, infer, metrics };

  Kind kind = Kind::server_metadata;
  std::string model;
  std::string version;  // empty: whichever the server prefers

  /// The methods this route knows, as in the header "Allow".
  std::string_view methods() const;
  bool allows(std::string_view method) const;
};

/// From a request target as it was sent, still percent-encoded; what follows '?' is ignored. Names are decoded after
/// the path is split, so that an encoded slash stays part of a name. Throws wire::Error: not_found for a path the
/// protocol does not have, invalid_argument for a broken escape.
Route parse_route(std::string_view target);

}  // namespace infoscissors::front
