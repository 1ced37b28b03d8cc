#include "infoscissors/front/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace infoscissors::front {
namespace {

// How long the HTTP library may need to take over a descriptor; after that it has silently closed it.
constexpr std::chrono::seconds kTakeover{5};

// How long a stop waits for heads that have begun.
constexpr std::chrono::milliseconds kHeadsOfDrain{200};

}  // namespace

std::string peer_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address != nullptr && address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  }
  if (address != nullptr && address->sa_family == AF_INET6) {
    auto network = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&network)) return inet_ntop(AF_INET, &network.s6_addr[12], text.data(), text.size());
    std::memset(&network.s6_addr[8], 0, 8);
    return std::string(inet_ntop(AF_INET6, &network, text.data(), text.size())) + "/64";
  }
  return "local";
}

Connections::Verdict Connections::admit(int descriptor, const std::string& peer, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  // The system gave the number out again, so whatever had it is closed.
  if (const auto old = entries_.find(descriptor); old != entries_.end()) forget(old);
  if (entries_.size() >= limits_.total) return Verdict::full;
  const auto count = per_peer_.find(peer);
  if (count != per_peer_.end() && count->second >= limits_.per_peer) return Verdict::peer_full;
  ++per_peer_[peer];
  entries_[descriptor] = {.peer = peer, .since = now};
  return Verdict::granted;
}

void Connections::taken(int descriptor, const std::string& peer, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto [entry, forgotten] = entries_.try_emplace(descriptor);
  if (forgotten) {
    entry->second.peer = peer;
    entry->second.since = now;
    ++per_peer_[peer];
  }
  entry->second.taken = true;
  if (draining_) shut_down(*entry);
}

void Connections::enter(int descriptor, Phase phase, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(descriptor);
  if (entry == entries_.end()) return;
  entry->second.phase = phase;
  entry->second.since = now;
  if (draining_ && phase == Phase::idle) shut_down(*entry);
  announce_if_quiet();
}

void Connections::closed(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = entries_.find(descriptor); entry != entries_.end()) forget(entry);
  announce_if_quiet();
}

std::size_t Connections::expire(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    auto& [descriptor, state] = *entry;
    if (!state.taken) {
      if (now - state.since > kTakeover) forget(entry);
    } else if (state.phase != Phase::compute && !state.shut && now - state.since > limit_of(state.phase)) {
      shut_down(*entry);
      ++count;
    }
    entry = next;
  }
  announce_if_quiet();
  return count;
}

void Connections::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
  for (auto& entry : entries_) {
    if (entry.second.taken && entry.second.phase == Phase::idle) shut_down(entry);
  }
}

bool Connections::wait_until_quiet(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (quiet_.wait_for(lock, std::min(patience, kHeadsOfDrain), [this] { return quiet(true); })) return true;
  return quiet_.wait_for(lock, patience - std::min(patience, kHeadsOfDrain), [this] { return quiet(false); });
}

void Connections::shut_down_all() {
  const std::lock_guard lock(mutex_);
  for (auto& entry : entries_) {
    if (entry.second.taken) shut_down(entry);
  }
}

std::size_t Connections::open() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::chrono::milliseconds Connections::limit_of(Phase phase) const {
  switch (phase) {
    case Phase::head:
      return limits_.head;
    case Phase::body:
      return limits_.body;
    case Phase::response:
      return limits_.response;
    // The first bytes of the next request are not announced, so its headers share the time of the pause before it.
    default:
      return limits_.idle + limits_.head;
  }
}

void Connections::forget(Entries::iterator entry) {
  const auto count = per_peer_.find(entry->second.peer);
  if (--count->second == 0) per_peer_.erase(count);
  entries_.erase(entry);
}

// Only ever called with the lock held and before closed(), so that the number still means this connection.
void Connections::shut_down(Entries::value_type& entry) {
  if (!entry.second.shut) ::shutdown(entry.first, SHUT_RDWR);
  entry.second.shut = true;
}

void Connections::announce_if_quiet() {
  if (draining_ && quiet(false)) quiet_.notify_all();
}

bool Connections::quiet(bool heads_too) const {
  return std::all_of(entries_.begin(), entries_.end(), [heads_too](const auto& entry) {
    const auto& state = entry.second;
    return state.shut || state.phase == Phase::idle || (state.phase == Phase::head && !heads_too);
  });
}

}  // namespace infoscissors::front
