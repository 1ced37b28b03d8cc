#include "infoscissors/wire/error.h"

#include <array>

namespace infoscissors::wire {
namespace {

struct Known {
  int grpc, http;
  std::string_view name;
};

constexpr std::array<Known, kCodes> kKnown{{
    {0, 200, "ok"},
    {3, 400, "invalid_argument"},
    {5, 404, "not_found"},
    {14, 503, "unavailable"},
    {8, 413, "too_large"},
    {8, 429, "limited"},
    {12, 501, "unsupported"},
    {13, 500, "internal"},
    {16, 401, "unauthenticated"},
    {7, 403, "permission_denied"},
    {4, 504, "deadline"},
    {1, 499, "cancelled"},
}};

const Known& known(Code code) {
  return kKnown.at(static_cast<std::size_t>(code));
}

}  // namespace

int grpc_status(Code code) {
  return known(code).grpc;
}

int http_status(Code code) {
  return known(code).http;
}

std::string_view name(Code code) {
  return known(code).name;
}

Code from_grpc_status(int status) {
  // RESOURCE_EXHAUSTED stands for two codes; to a client both mean: not again as it is.
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    if (kKnown[i].grpc == status) return static_cast<Code>(i);
  }
  return Code::internal;
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string shown(text.substr(0, longest));
  for (auto& c : shown) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (text.size() > longest) shown += "...";
  return shown;
}

}  // namespace infoscissors::wire
