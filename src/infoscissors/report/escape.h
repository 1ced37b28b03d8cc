#pragma once

#include <string>
#include <string_view>

namespace infoscissors::report {

/// Text for HTML, safe between tags and inside quoted attributes.
std::string escape(std::string_view text);

/// The text as code, with places to break a line after "(" and ",", so that a narrow column does not cut a word.
std::string code(std::string_view text);

/// Standard base64 with padding (RFC 4648, section 4).
std::string base64(std::string_view bytes);

}  // namespace infoscissors::report
