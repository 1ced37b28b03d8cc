#include "infoscissors/front/route.h"

#include "infoscissors/wire/error.h"

#include <vector>

namespace infoscissors::front {
namespace {

using wire::Code;
using wire::Error;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    if (low < 0) throw Error(Code::invalid_argument, "the path has a '%' without two hexadecimal digits");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// At most `limit` pieces; the last holds whatever is left.
std::vector<std::string_view> split(std::string_view path, std::size_t limit) {
  std::vector<std::string_view> pieces;
  while (pieces.size() + 1 < limit) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) break;
    pieces.push_back(path.substr(0, slash));
    path.remove_prefix(slash + 1);
  }
  pieces.push_back(path);
  return pieces;
}

[[noreturn]] void refuse(std::string_view path) {
  throw Error(Code::not_found, "there is no '{}' here; the protocol's paths begin with /v2", wire::printable(path));
}

// models/M[/versions/V][/ready|/infer]
Route model_route(const std::vector<std::string_view>& pieces, std::string_view path) {
  Route route{.kind = Route::Kind::model_metadata, .model = decode(pieces[2]), .version = {}};
  std::size_t at = 3;
  if (pieces.size() >= 5 && pieces[3] == "versions") {
    route.version = decode(pieces[4]);
    if (route.version.empty()) refuse(path);
    at = 5;
  }
  if (route.model.empty() || pieces.size() > at + 1) refuse(path);
  if (pieces.size() == at) return route;
  if (pieces[at] == "ready") {
    route.kind = Route::Kind::model_ready;
  } else if (pieces[at] == "infer") {
    route.kind = Route::Kind::infer;
  } else {
    refuse(path);
  }
  return route;
}

}  // namespace

std::string_view Route::methods() const {
  return kind == Kind::infer ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

bool Route::allows(std::string_view method) const {
  if (method == "OPTIONS") return true;
  return kind == Kind::infer ? method == "POST" : method == "GET" || method == "HEAD";
}

Route parse_route(std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  if (path == "/metrics") return {.kind = Route::Kind::metrics, .model = {}, .version = {}};
  if (path == "/v2" || path == "/v2/") return {};
  if (path == "/v2/health/live") return {.kind = Route::Kind::live, .model = {}, .version = {}};
  if (path == "/v2/health/ready") return {.kind = Route::Kind::ready, .model = {}, .version = {}};
  if (!path.starts_with("/v2/models/")) refuse(path);
  return model_route(split(path.substr(1), 8), path);
}

}  // namespace infoscissors::front
