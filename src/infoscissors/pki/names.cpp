#include "infoscissors/pki/names.h"

#include "infoscissors/base/error.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

namespace infoscissors::pki {
namespace {

using base::UsageError;

constexpr std::size_t kLongestName = 64, kLongestHost = 253, kLongestLabel = 63;

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return alphanumeric(c) || c == '-'; });
}

bool is_dns_name(std::string_view host) {
  if (host.size() > kLongestHost) return false;
  if (host.starts_with("*.")) host.remove_prefix(2);
  for (;;) {
    const auto dot = host.find('.');
    const auto label = host.substr(0, dot);
    if (!is_label(label)) return false;
    // Of digits alone the last label can only be of an address that was mistyped.
    if (dot == std::string_view::npos) return !digits(label);
    host.remove_prefix(dot + 1);
  }
}

}  // namespace

void check_name(const std::string& name) {
  const bool well_formed =
      !name.empty() && name.size() <= kLongestName && alphanumeric(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  if (!well_formed) {
    throw UsageError(
        "a certificate's name is 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit, got {:?}",
        name);
  }
  if (name == "ca" || name == "crl" || name == "index") {
    throw UsageError("the name '{}' is taken by the authority's own files; choose another", name);
  }
}

void check_authority_name(const std::string& name) {
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (name.empty() || name.size() > kLongestName || !printable) {
    throw UsageError("--name must be 1 to 64 printable ASCII characters");
  }
}

std::string alternative_name(const std::string& host) {
  if (is_address(host)) return "IP:" + host;
  if (is_dns_name(host)) return "DNS:" + host;
  throw UsageError("--host '{}' is neither an IP address nor a host name", host);
}

}  // namespace infoscissors::pki
