#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

struct sockaddr;

namespace infoscissors::front {

using Clock = std::chrono::steady_clock;

/// Who counts as one peer: an IPv4 address, or the /64 network of an IPv6 address, for whoever has one such address
/// has 2^64 of them. "local" for anything else.
std::string peer_of(const sockaddr* address);

/// What a connection is busy with. Each phase has its own limit of time, which no trickle of bytes extends.
enum class Phase {
  head,      // handshake and headers
  body,      // the rest of the request
  compute,   // the server's own time: no limit here, the request's deadline is one
  response,  // the answer on its way out
  idle,      // between two requests
};

/// Every open connection of the front: how many there are, of whom, and which have had their time. Thread-safe; the
/// clock is the caller's, so that it can be tested without waiting.
class Connections {
 public:
  struct Limits {
    std::size_t total = 1024;
    std::size_t per_peer = 256;
    std::chrono::milliseconds head{10'000};
    std::chrono::milliseconds body{30'000};
    std::chrono::milliseconds response{30'000};
    std::chrono::milliseconds idle{60'000};
  };
  enum class Verdict { granted, full, peer_full };

  explicit Connections(const Limits& limits) : limits_(limits) {}

  /// Asks for a place for a descriptor that was just accepted.
  Verdict admit(int descriptor, const std::string& peer, Clock::time_point now);

  /// The HTTP library has taken it over: from now on closed() will be called for it, before the descriptor is closed.
  /// One that was forgotten because that took so long is known again.
  void taken(int descriptor, const std::string& peer, Clock::time_point now);

  void enter(int descriptor, Phase phase, Clock::time_point now);
  void closed(int descriptor);

  /// Shuts the sockets down whose phase has lasted too long, and forgets those that the HTTP library never took over.
  /// Returns how many were shut down.
  std::size_t expire(Clock::time_point now);

  /// From now on idle connections are shut down, and so is every other one as soon as it becomes idle.
  void drain();

  /// Waits until no request is under way, for at most `patience`. False where one still is. A connection that has not
  /// shown a whole head is waited for a moment only: most of them never will.
  bool wait_until_quiet(std::chrono::milliseconds patience);

  void shut_down_all();

  std::size_t open() const;

 private:
  struct Entry {
    std::string peer;
    Phase phase = Phase::head;
    Clock::time_point since;
    bool taken = false;
    bool shut = false;
  };
  using Entries = std::map<int, Entry>;

  std::chrono::milliseconds limit_of(Phase phase) const;
  void forget(Entries::iterator entry);
  void shut_down(Entries::value_type& entry);
  void announce_if_quiet();
  bool quiet(bool heads_too) const;

  Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable quiet_;
  Entries entries_;
  std::map<std::string, std::size_t> per_peer_;
  bool draining_ = false;
};

}  // namespace infoscissors::front
