#include "infoscissors/client/address.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <string_view>

namespace infoscissors::client {
namespace {

constexpr std::string_view kUnix = "unix:";

struct Address {
  std::string_view host, port;
};

Address split(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return {address, {}};
  return {address.substr(0, colon), address.substr(colon + 1)};
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         std::stoi(std::string(text)) >= 1 && std::stoi(std::string(text)) <= 65535;
}

bool is_host(std::string_view text) {
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (bracketed) return true;
  return !text.empty() && text.find_first_of(":/[] ") == std::string_view::npos;
}

}  // namespace

void check_address(const std::string& address) {
  if (address.starts_with(kUnix) && address.size() > kUnix.size()) return;
  const auto [host, port] = split(address);
  if (!is_host(host) || !is_port(port)) {
    throw base::UsageError("--server {}: must be HOST:PORT, e.g. 127.0.0.1:8001", address);
  }
}

bool is_local(const std::string& address) {
  if (address.starts_with(kUnix)) return true;
  const auto host = split(address).host;
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace infoscissors::client
