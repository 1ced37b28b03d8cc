#include "infoscissors/rpc/accept.h"

#include "infoscissors/base/error.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace infoscissors::rpc {
namespace {

constexpr int kPause = 20;  // milliseconds

union Endpoint {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t endpoint_of(const serve::Address& address, Endpoint& endpoint) {
  std::memset(&endpoint, 0, sizeof(endpoint));
  const auto host = address.host == "localhost" ? "127.0.0.1" : address.host;
  if (inet_pton(AF_INET, host.c_str(), &endpoint.v4.sin_addr) == 1) {
    endpoint.v4.sin_family = AF_INET;
    endpoint.v4.sin_port = htons(address.port);
    return sizeof(endpoint.v4);
  }
  inet_pton(AF_INET6, host.c_str(), &endpoint.v6.sin6_addr);
  endpoint.v6.sin6_family = AF_INET6;
  endpoint.v6.sin6_port = htons(address.port);
  return sizeof(endpoint.v6);
}

std::string host_of(const Endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  if (endpoint.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &endpoint.v6.sin6_addr, text, sizeof(text));
    return std::string("[") + text + "]";
  }
  inet_ntop(AF_INET, &endpoint.v4.sin_addr, text, sizeof(text));
  return text;
}

int spare_descriptor() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

std::uint64_t inode_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

Accept::Accept(const serve::Address& address, Limits limits) : limits_(limits) {
  Endpoint endpoint;
  const auto length = endpoint_of(address, endpoint);
  listener_ = ::socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  spare_ = spare_descriptor();
  const int on = 1;
  if (listener_ >= 0) ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (listener_ < 0 || wake_ < 0 || ::bind(listener_, &endpoint.any, length) != 0 || ::listen(listener_, 512) != 0) {
    const int error = errno;
    stop();
    throw base::Error("[serve] grpc = '{}:{}' cannot be listened on: {}", address.host, address.port,
                      std::strerror(error));
  }
  socklen_t size = sizeof(endpoint);
  ::getsockname(listener_, &endpoint.any, &size);
  const auto port = ntohs(endpoint.any.sa_family == AF_INET6 ? endpoint.v6.sin6_port : endpoint.v4.sin_port);
  address_ = host_of(endpoint) + ":" + std::to_string(port);
}

Accept::~Accept() {
  stop();
}

void Accept::start(std::function<void(int)> receive) {
  thread_ = std::thread([this, receive = std::move(receive)] { loop(receive); });
}

void Accept::stop() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof(one));
    thread_.join();
  }
  for (auto* descriptor : {&listener_, &wake_, &spare_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
}

void Accept::loop(const std::function<void(int)>& receive) {
  pollfd watched[] = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
  while (true) {
    const int ready = ::poll(watched, 2, -1);
    if (ready < 0 && errno != EINTR) return;
    if (watched[1].revents != 0) return;
    if (ready > 0 && watched[0].revents != 0) accept_one(receive);
  }
}

void Accept::accept_one(const std::function<void(int)>& receive) {
  Endpoint endpoint;
  socklen_t size = sizeof(endpoint);
  int descriptor = ::accept4(listener_, &endpoint.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) {
    if (errno != EMFILE && errno != ENFILE) return;
    // None left: with the spare one the caller at least learns at once that it is not served.
    if (spare_ >= 0) ::close(spare_);
    descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor >= 0) {
      ::close(descriptor);
    } else {
      ::poll(nullptr, 0, kPause);  // somebody was faster; without a pause this loop would take a core
    }
    spare_ = spare_descriptor();
    ++refused_;
    return;
  }
  if (!admit(descriptor, host_of(endpoint))) {
    ++refused_;
    ::close(descriptor);
    return;
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  receive(descriptor);
}

bool Accept::admit(int descriptor, const std::string& from) {
  const std::lock_guard lock(mutex_);
  const auto here = [&] {
    return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(),
                                                  [&](const Connection& other) { return other.from == from; }));
  };
  const auto full = [&] { return connections_.size() >= limits_.connections || here() >= limits_.per_address; };
  // The receiver may have closed some since the last look, and this very descriptor for certain.
  std::erase_if(connections_, [&](const Connection& other) { return other.descriptor == descriptor; });
  if (full()) forget_closed();
  if (full()) return false;
  connections_.push_back({descriptor, inode_of(descriptor), from});
  return true;
}

void Accept::forget_closed() {
  std::erase_if(connections_,
                [](const Connection& connection) { return inode_of(connection.descriptor) != connection.inode; });
}

std::size_t Accept::connections() {
  const std::lock_guard lock(mutex_);
  forget_closed();
  return connections_.size();
}

}  // namespace infoscissors::rpc
