#include "infoscissors/serve/settings.h"

#include "infoscissors/base/error.h"

#include <arpa/inet.h>

#include <charconv>

namespace infoscissors::serve {
namespace {

using base::UsageError;

/// Paths in a configuration file are meant from where the file lies.
void resolve(std::string& path, const std::filesystem::path& directory) {
  if (!path.empty() && std::filesystem::path(path).is_relative()) path = (directory / path).string();
}

void require_together(const char* one, const std::string& a, const char* other, const std::string& b) {
  if (a.empty() == b.empty()) return;
  throw UsageError("[serve] {} is set and {} is not: set both or neither", a.empty() ? other : one,
                   a.empty() ? one : other);
}

void require_private(const Settings& settings, const std::string& text, const char* key) {
  if (text.empty()) return;
  const auto address = parse_address(text, key);
  if (!settings.tls() && !settings.insecure && !address.loopback()) {
    throw UsageError(
        "[serve] {} = '{}' would be reachable without TLS: set tls_cert, tls_key and client_ca, stay on 127.0.0.1, "
        "or set insecure",
        key, text);
  }
}

}  // namespace

base::Fields Settings::fields() {
  using base::any;
  using base::at_least;
  using base::between;
  using base::one_of;
  return {
      {"bundle", &bundle, any(), "Server halves of bundles (BUNDLE/server); several models or versions"},
      {"grpc", &grpc, any(), "HOST:PORT of gRPC; port 0: any free one, shown in the ready line; empty: off"},
      {"rest", &rest, any(), "HOST:PORT of REST and /metrics; empty: off"},
      {"insecure", &insecure, any(), "Allow an address beyond loopback without TLS"},
      {"tls_cert", &tls_cert, any(), "Certificate chain (PEM) of the server; switches TLS on for gRPC and REST"},
      {"tls_key", &tls_key, any(), "Its private key (PEM)"},
      {"client_ca", &client_ca, any(), "Authorities (PEM) whose certificates devices must show"},
      {"crl", &crl, any(), "Revocation lists (PEM) of these authorities, read again when the file changes"},
      {"access", &access, any(), "TOML file of who may use which model; without it every certified device may"},
      {"management", &management, any(), "Allow loading and unloading models to administrators"},
      {"administrators", &administrators, any(), "Common names of the certificates of administrators"},
      {"max_batch", &max_batch, between(1, 65536), "Rows that run together at most"},
      {"batch_delay_us", &batch_delay_us, between(0, 1e6),
       "Microseconds that the first request of a batch waits for others; 0: only while another batch runs"},
      {"max_rows", &max_rows, between(0, 65536), "Rows of one request at most; 0: max_batch"},
      {"queue", &queue, between(1, 1e6), "Requests that wait for a model at most; more are refused at once"},
      {"deadline_ms", &deadline_ms, between(1, 3.6e6), "Deadline of requests that bring none, in milliseconds"},
      {"max_deadline_ms", &max_deadline_ms, between(1, 3.6e6), "Longest deadline of a request"},
      {"non_finite", &non_finite, one_of({"refuse", "accept"}), "What happens to inputs with NaN or infinities"},
      {"device_rate", &device_rate, between(0, 1e9), "Requests a second of one device; 0: no limit"},
      {"device_burst", &device_burst, between(1, 1e9),
       "Requests that a device may send at once before its rate counts"},
      {"device_concurrency", &device_concurrency, between(0, 1e6),
       "Unanswered requests of one device at most; 0: no limit"},
      {"max_message_bytes", &max_message_bytes, between(0, 1 << 30),
       "Longest request; 0: four times the largest input of the models"},
      {"max_connections", &max_connections, between(1, 1e5), "Connections of each protocol at most"},
      {"max_connections_per_address", &max_connections_per_address, between(1, 1e5),
       "Connections from one address at most"},
      {"handshake_seconds", &handshake_seconds, between(1, 600), "Time for a connection's handshake"},
      {"idle_seconds", &idle_seconds, between(1, 86400), "A connection without requests is closed after that"},
      {"connection_age_seconds", &connection_age_seconds, between(1, 864000),
       "A connection is replaced after that, so that its certificate is looked at again"},
      {"reload_seconds", &reload_seconds, between(0, 3600),
       "How often bundles, certificates and lists are looked at for changes; 0: only on SIGHUP"},
      {"keep_versions", &keep_versions, between(1, 100),
       "Versions of a bundle that stay served, for devices that have not followed yet"},
      {"drain_seconds", &drain_seconds, between(0, 3600), "Time for what is under way after SIGTERM"},
      {"threads", &threads, between(0, 1024), "Threads of a network's operations; 0: every core"},
      {"precision", &precision, one_of({"fp32", "bf16"}), "Arithmetic of the networks"},
      {"reflection", &reflection, any(), "Answer gRPC's reflection"},
      {"cors_origin", &cors_origin, any(), "Origin from which browsers may call REST; '*': any; empty: none"},
      {"log", &log, any(), "Where the log (one JSON document a line) goes: stderr or a file"},
      {"log_level", &log_level, one_of({"debug", "info", "warning", "error"}), "What is logged at least"},
      {"log_requests", &log_requests, any(), "One line a request: ids, names, sizes, times; never tensors"},
  };
}

Settings load_settings(const std::filesystem::path& path) {
  Settings settings;
  base::assign(settings.fields(), base::read_toml(path), path.string() + ":");
  const auto directory = path.parent_path();
  for (auto* file : {&settings.tls_cert, &settings.tls_key, &settings.client_ca, &settings.crl, &settings.access})
    resolve(*file, directory);
  for (auto& bundle : settings.bundle) resolve(bundle, directory);
  if (settings.log != "stderr") resolve(settings.log, directory);
  return settings;
}

void validate(const Settings& settings) {
  if (settings.bundle.empty()) throw UsageError("[serve] bundle: name at least one server half, BUNDLE/server");
  if (settings.grpc.empty() && settings.rest.empty()) {
    throw UsageError("[serve] grpc and rest are both empty: nothing would be served");
  }
  require_together("tls_cert", settings.tls_cert, "tls_key", settings.tls_key);
  require_together("tls_cert", settings.tls_cert, "client_ca", settings.client_ca);
  if (!settings.crl.empty() && !settings.tls()) throw UsageError("[serve] crl needs tls_cert, tls_key and client_ca");
  if (!settings.access.empty() && !settings.tls()) {
    throw UsageError("[serve] access needs tls_cert, tls_key and client_ca: without certificates nobody has a name");
  }
  if (settings.management && (!settings.tls() || settings.administrators.empty())) {
    throw UsageError("[serve] management needs TLS and at least one name in administrators");
  }
  if (settings.max_rows > settings.max_batch) {
    throw UsageError("[serve] max_rows = {} is more than max_batch = {}", settings.max_rows, settings.max_batch);
  }
  if (settings.deadline_ms > settings.max_deadline_ms) {
    throw UsageError("[serve] deadline_ms = {} is more than max_deadline_ms = {}", settings.deadline_ms,
                     settings.max_deadline_ms);
  }
  require_private(settings, settings.grpc, "grpc");
  require_private(settings, settings.rest, "rest");
}

bool Address::loopback() const {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Address parse_address(const std::string& text, const std::string& key) {
  const auto wrong = [&] {
    return UsageError("[serve] {} = '{}' is no address: HOST:PORT, for example 127.0.0.1:8001 or [::1]:8001", key,
                      text);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) throw wrong();
  Address address{.host = text.substr(0, colon)};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc{} || stop != end) throw wrong();
  if (address.host.front() == '[') {
    if (address.host.back() != ']') throw wrong();
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.find(':') != std::string::npos) {
    throw wrong();
  }
  unsigned char numeric[sizeof(in6_addr)];
  const bool known = address.host == "localhost" || inet_pton(AF_INET, address.host.c_str(), numeric) == 1 ||
                     inet_pton(AF_INET6, address.host.c_str(), numeric) == 1;
  if (!known) throw UsageError("[serve] {} = '{}': the host must be localhost or a numeric address", key, text);
  return address;
}

}  // namespace infoscissors::serve
