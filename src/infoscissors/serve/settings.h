#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/base/options.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::serve {

/// Everything a server can be told, from one TOML file or as flags of `infoscissors serve`. The defaults are meant to
/// be safe: loopback, every limit on, management off.
struct Settings {
  std::vector<std::string> bundle;
  std::string grpc = "127.0.0.1:8001";
  std::string rest = "127.0.0.1:8000";
  bool insecure = false;

  std::string tls_cert, tls_key, client_ca, crl;
  std::string access;
  bool management = false;
  std::vector<std::string> administrators;

  std::int64_t max_batch = 64;
  std::int64_t batch_delay_us = 0;
  std::int64_t max_rows = 0;  // of one request; 0: max_batch
  std::int64_t queue = 256;
  std::int64_t deadline_ms = 5000;
  std::int64_t max_deadline_ms = 60000;
  std::string non_finite = "refuse";

  double device_rate = 2000;
  std::int64_t device_burst = 2000;
  std::int64_t device_concurrency = 64;
  std::int64_t max_message_bytes = 0;  // 0: from the largest input
  std::int64_t max_connections = 1024;
  std::int64_t max_connections_per_address = 256;
  std::int64_t handshake_seconds = 10;
  std::int64_t idle_seconds = 300;
  std::int64_t connection_age_seconds = 3600;

  double reload_seconds = 1;
  std::int64_t keep_versions = 2;
  double drain_seconds = 20;
  std::int64_t threads = 0;  // 0: every core
  std::string precision = "fp32";
  bool reflection = true;
  std::string cors_origin;

  std::string log = "stderr";
  std::string log_level = "info";
  bool log_requests = true;

  base::Fields fields();
  bool tls() const { return !tls_cert.empty(); }
};

/// Reads a TOML file over the defaults. Relative paths in it are relative to the file. Throws UsageError naming file
/// and key.
Settings load_settings(const std::filesystem::path& path);

/// What a field's range cannot say: keys that need each other, addresses, plaintext beyond loopback. Throws UsageError
/// naming the key and what would be right.
void validate(const Settings& settings);

struct Address {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool loopback() const;
};

/// "127.0.0.1:8001", "[::1]:0", "localhost:80". `key` is named in errors.
Address parse_address(const std::string& text, const std::string& key);

}  // namespace infoscissors::serve
