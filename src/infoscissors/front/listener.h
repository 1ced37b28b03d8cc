#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

struct sockaddr;

namespace infoscissors::front {

/// A listening socket and the thread that accepts from it. It keeps one descriptor in reserve: when the process has
/// none left, a waiting connection is accepted with it and closed at once, so that the queue does not fill with peers
/// that nobody will ever answer and the loop does not spin.
class Listener {
 public:
  /// Binds and listens; throws Error naming the address and the system's reason.
  Listener(const std::string& host, std::uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// HOST:PORT as it is bound; port 0 has become the one that was chosen.
  const std::string& address() const { return address_; }

  /// Hands every accepted, non-blocking descriptor over; `accepted` owns it then. `exhausted` is called for each
  /// connection that was dropped because no descriptor was left.
  void start(std::function<void(int, const sockaddr*, unsigned)> accepted, std::function<void()> exhausted);

  /// Ends the thread and closes the socket; connections that were accepted are not touched.
  void stop();

 private:
  void run();
  void accept_waiting();
  bool drop_one();

  std::string address_;
  int socket_ = -1;
  int wake_ = -1;
  int reserve_ = -1;
  std::function<void(int, const sockaddr*, unsigned)> accepted_;
  std::function<void()> exhausted_;
  std::thread thread_;
};

}  // namespace infoscissors::front
