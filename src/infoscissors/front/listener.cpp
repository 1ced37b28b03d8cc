#include "infoscissors/front/listener.h"

#include "infoscissors/base/error.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace infoscissors::front {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int bind_one(const addrinfo& address) {
  const int descriptor = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int one = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 && ::listen(descriptor, SOMAXCONN) == 0)
    return descriptor;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  return -1;
}

std::string bound_address(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(reinterpret_cast<sockaddr*>(&storage), length, host.data(), host.size(), port.data(), port.size(),
                NI_NUMERICHOST | NI_NUMERICSERV);
  const std::string name = host.data();
  return (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + port.data();
}

}  // namespace

Listener::Listener(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) throw base::Error("cannot listen on {}: {}", host, ::gai_strerror(status));
  const std::unique_ptr<addrinfo, FreeAddresses> owner(found);
  for (const auto* address = found; address != nullptr && socket_ < 0; address = address->ai_next)
    socket_ = bind_one(*address);
  if (socket_ < 0) throw base::Error("cannot listen on {}:{}: {}", host, port, std::strerror(errno));
  address_ = bound_address(socket_);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  reserve_ = open_reserve();
}

Listener::~Listener() {
  stop();
  for (const int descriptor : {socket_, wake_, reserve_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void Listener::start(std::function<void(int, const sockaddr*, unsigned)> accepted, std::function<void()> exhausted) {
  accepted_ = std::move(accepted);
  exhausted_ = std::move(exhausted);
  thread_ = std::thread([this] { run(); });
}

void Listener::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(std::exchange(socket_, -1));
}

void Listener::run() {
  while (true) {
    std::array<pollfd, 2> watched{{{socket_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (watched[1].revents != 0) return;
    if (watched[0].revents != 0) accept_waiting();
  }
}

void Listener::accept_waiting() {
  // In bounded batches, so that a flood cannot keep stop() waiting.
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    auto* peer = reinterpret_cast<sockaddr*>(&storage);
    const int descriptor = ::accept4(socket_, peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      const int one = 1;
      ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      accepted_(descriptor, peer, length);
    } else if (errno == EMFILE || errno == ENFILE) {
      if (!drop_one()) return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

bool Listener::drop_one() {
  if (reserve_ >= 0) ::close(reserve_);
  const int descriptor = ::accept(socket_, nullptr, nullptr);
  if (descriptor >= 0) {
    ::close(descriptor);
    exhausted_();
  }
  reserve_ = open_reserve();
  // Another thread may have taken the descriptor in between: wait a little instead of spinning.
  if (descriptor < 0) ::poll(nullptr, 0, 10);
  return descriptor >= 0;
}

}  // namespace infoscissors::front
