#ifdef INFOSCISSORS_HTTP

#include "infoscissors/front/http_server.h"

#include "infoscissors/base/error.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace infoscissors::front {
namespace {

using namespace std::chrono_literals;
using serve::Caller;
using serve::Core;
using serve::Settings;
using wire::Code;

// What a connection may keep of a request's head, and the size of the pieces its body arrives in. A head that does not
// fit ends with 431 (or 414) and the connection.
constexpr std::size_t kHeadBytes = 32 << 10;

constexpr auto kWatch = 100ms;

TlsFiles tls_files(const Settings& settings) {
  return {settings.tls_cert, settings.tls_key, settings.client_ca, settings.crl};
}

Connections::Limits limits_of(const Settings& settings) {
  Connections::Limits limits;
  limits.total = static_cast<std::size_t>(settings.max_connections);
  limits.per_peer = static_cast<std::size_t>(settings.max_connections_per_address);
  limits.head = std::chrono::seconds(settings.handshake_seconds);
  limits.idle = std::chrono::seconds(settings.idle_seconds);
  return limits;
}

std::string text_of(const sockaddr* address) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  const socklen_t length = address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (::getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "?";
  if (address->sa_family == AF_INET6) return fmt::format("[{}]:{}", host.data(), port.data());
  return fmt::format("{}:{}", host.data(), port.data());
}

// Whether the client is gone. One that only shut its sending side down counts as gone, as it does for nginx.
bool gone(int descriptor) {
  pollfd watched{descriptor, POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

Listener listen_on(const Settings& settings) {
  const auto address = serve::parse_address(settings.rest, "rest");
  return {address.host, address.port};
}

}  // namespace

Link* link_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return static_cast<Link*>(info->socket_context);
}

HttpServer::HttpServer(Core& core)
    : core_(core),
      settings_(core.settings()),
      service_(core),
      connections_(limits_of(settings_)),
      listener_(listen_on(settings_)) {
  if (settings_.tls()) follow_certificates();
  start_daemon();
  watchdog_ = std::thread([this] { watch(); });
  listener_.start([this](int descriptor, const sockaddr* peer, unsigned length) { accepted(descriptor, peer, length); },
                  [this] { ++exhausted_; });
}

void HttpServer::stop(std::chrono::milliseconds patience) {
  if (daemon_ == nullptr) return;
  stopping_ = true;
  listener_.stop();
  connections_.drain();
  connections_.wait_until_quiet(patience);
  // The library must not be stopped while it has suspended connections.
  for (const auto& exchange : exchanges_.all()) {
    exchange->cancel();
    exchange->finish({.code = Code::unavailable, .message = "the server is stopping", .response = {}});
  }
  connections_.wait_until_quiet(std::min<std::chrono::milliseconds>(patience, 500ms));
  connections_.shut_down_all();
  {
    const std::lock_guard lock(watch_mutex_);
    watch_over_ = true;
  }
  watch_wake_.notify_all();
  watchdog_.join();
  MHD_stop_daemon(std::exchange(daemon_, nullptr));
}

void HttpServer::follow_certificates() {
  tls_ = std::make_shared<TlsRotation>(tls_files(settings_));
  // The core may outlive this server.
  core_.on_look([rotation = std::weak_ptr(tls_), &core = core_] {
    const auto tls = rotation.lock();
    try {
      if (tls && tls->refresh()) core.log("certificates replaced", {{"protocol", "rest"}});
    } catch (const base::Error& error) {
      core.log("certificates not replaced", {{"protocol", "rest"}, {"problem", error.what()}}, true);
    }
  });
}

void HttpServer::start_daemon() {
  const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
  // Behind our own limits: a place for every connection in any of the library's threads.
  const auto connections = static_cast<unsigned>(settings_.max_connections) * threads;
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
  std::vector<MHD_OptionItem> options{
      {MHD_OPTION_THREAD_POOL_SIZE, threads, nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, connections, nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, kHeadBytes, nullptr},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<std::intptr_t>(&on_completed), this},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<std::intptr_t>(&on_connection), this},
      {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<std::intptr_t>(&on_target), this},
  };
  std::string certificate, key;
  if (tls_) {
    flags |= MHD_USE_TLS;
    certificate = tls_->current()->certificate();
    key = tls_->current()->key();
    options.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, certificate.data()});
    options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, key.data()});
    options.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)});
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ =
      MHD_start_daemon(flags, 0, nullptr, nullptr, &on_access, this, MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) throw base::Error("the HTTP library did not start: {}", std::strerror(errno));
}

void HttpServer::accepted(int descriptor, const sockaddr* peer, unsigned length) {
  switch (connections_.admit(descriptor, peer_of(peer), Clock::now())) {
    case Connections::Verdict::full:
      ++refused_full_;
      break;
    case Connections::Verdict::peer_full:
      ++refused_peer_;
      break;
    case Connections::Verdict::granted:
      // The library closes it where it does not take it.
      if (MHD_add_connection(daemon_, descriptor, peer, length) != MHD_YES) connections_.closed(descriptor);
      return;
  }
  ::close(descriptor);
}

void HttpServer::watch() {
  std::unique_lock lock(watch_mutex_);
  while (!watch_wake_.wait_for(lock, kWatch, [this] { return watch_over_; })) {
    lock.unlock();
    expired_ += connections_.expire(Clock::now());
    for (const auto& exchange : exchanges_.all()) {
      if (gone(exchange->descriptor)) exchange->cancel();
    }
    lock.lock();
  }
}

std::unique_ptr<Link> HttpServer::make_link(MHD_Connection* connection) const {
  auto link = std::make_unique<Link>();
  link->descriptor = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  link->since = Clock::now();
  link->caller.protocol = "rest";
  link->caller.address = text_of(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
  if (!tls_) return link;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  link->session = info == nullptr ? nullptr : static_cast<gnutls_session_int*>(info->tls_session);
  link->material = tls_->current();
  if (link->session != nullptr) link->material->attach(link->session);
  return link;
}

void HttpServer::on_connection(void* closure, MHD_Connection* connection, void** context,
                               MHD_ConnectionNotificationCode what) {
  auto& self = *static_cast<HttpServer*>(closure);
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
    const std::unique_ptr<Link> link(static_cast<Link*>(*context));
    if (link) self.connections_.closed(link->descriptor);
    return;
  }
  try {
    auto link = self.make_link(connection);
    const auto* client = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    self.connections_.taken(link->descriptor, peer_of(client), link->since);
    *context = link.release();
  } catch (const std::exception& error) {
    // Its requests are refused then.
    self.core_.log("connection dropped", {{"protocol", "rest"}, {"problem", error.what()}}, true);
  }
}

std::string HttpServer::own_metrics() const {
  return fmt::format(
      "# HELP infoscissors_rest_connections Open connections of the REST front.\n"
      "# TYPE infoscissors_rest_connections gauge\n"
      "infoscissors_rest_connections {}\n"
      "# HELP infoscissors_rest_connections_refused_total Connections that were closed at once, by reason.\n"
      "# TYPE infoscissors_rest_connections_refused_total counter\n"
      "infoscissors_rest_connections_refused_total{{reason=\"limit\"}} {}\n"
      "infoscissors_rest_connections_refused_total{{reason=\"address_limit\"}} {}\n"
      "infoscissors_rest_connections_refused_total{{reason=\"descriptors\"}} {}\n"
      "# HELP infoscissors_rest_connections_expired_total Connections that were closed because they were too slow.\n"
      "# TYPE infoscissors_rest_connections_expired_total counter\n"
      "infoscissors_rest_connections_expired_total {}\n"
      "# HELP infoscissors_rest_body_bytes Bytes of requests that are held in memory.\n"
      "# TYPE infoscissors_rest_body_bytes gauge\n"
      "infoscissors_rest_body_bytes {}\n",
      connections_.open(), refused_full_.load(), refused_peer_.load(), exhausted_.load(), expired_.load(),
      held_.load());
}

bool available() {
  return true;
}

std::unique_ptr<Server> start(serve::Core& core) {
  return std::make_unique<HttpServer>(core);
}

}  // namespace infoscissors::front

#endif
