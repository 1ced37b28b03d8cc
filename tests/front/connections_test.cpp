#include "infoscissors/front/connections.h"

#include "infoscissors/front/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace infoscissors::front {
namespace {

using namespace std::chrono_literals;
using Verdict = Connections::Verdict;

const auto kStart = Clock::time_point{} + 1h;

// Two connected sockets: whether ours was shut down shows at the other end.
class Pair {
 public:
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0); }
  ~Pair() {
    for (const int end : ends_) ::close(end);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  int ours() const { return ends_[0]; }
  bool shut() const {
    char byte = 0;
    return ::recv(ends_[1], &byte, 1, 0) == 0;
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(Connections, AreLimitedInAllAndByPeer) {
  Connections connections({.total = 3, .per_peer = 2});
  EXPECT_EQ(connections.admit(100, "a", kStart), Verdict::granted);
  EXPECT_EQ(connections.admit(101, "a", kStart), Verdict::granted);
  EXPECT_EQ(connections.admit(102, "a", kStart), Verdict::peer_full);
  EXPECT_EQ(connections.admit(102, "b", kStart), Verdict::granted);
  EXPECT_EQ(connections.admit(103, "c", kStart), Verdict::full);
  connections.closed(100);
  EXPECT_EQ(connections.admit(100, "a", kStart), Verdict::granted);
  EXPECT_EQ(connections.open(), 3U);
}

TEST(Connections, ADescriptorThatIsGivenOutAgainWasClosed) {
  Connections connections({.total = 1, .per_peer = 1});
  EXPECT_EQ(connections.admit(100, "a", kStart), Verdict::granted);
  EXPECT_EQ(connections.admit(100, "a", kStart), Verdict::granted);
  EXPECT_EQ(connections.open(), 1U);
}

TEST(Connections, OnesThatWereNeverTakenOverAreForgotten) {
  Connections connections({.total = 1});
  connections.admit(100, "a", kStart);
  EXPECT_EQ(connections.expire(kStart + 4s), 0U);
  EXPECT_EQ(connections.open(), 1U);
  connections.expire(kStart + 6s);
  EXPECT_EQ(connections.open(), 0U);
  // A library that was very busy does take it over.
  connections.taken(100, "a", kStart + 7s);
  EXPECT_EQ(connections.open(), 1U);
  EXPECT_EQ(connections.admit(101, "b", kStart + 7s), Verdict::full);
  connections.closed(100);
  EXPECT_EQ(connections.open(), 0U);
}

class Phases : public testing::TestWithParam<std::pair<Phase, std::chrono::milliseconds>> {};

TEST_P(Phases, EndWhenTheirTimeIsOver) {
  const auto [phase, limit] = GetParam();
  Connections connections({.head = 10ms, .body = 20ms, .response = 30ms, .idle = 40ms});
  Pair pair;
  connections.admit(pair.ours(), "a", kStart);
  connections.taken(pair.ours(), "a", kStart);
  connections.enter(pair.ours(), phase, kStart + 1s);
  EXPECT_EQ(connections.expire(kStart + 1s + limit), 0U);
  EXPECT_FALSE(pair.shut());
  EXPECT_EQ(connections.expire(kStart + 1s + limit + 1ms), 1U);
  EXPECT_TRUE(pair.shut());
  EXPECT_EQ(connections.expire(kStart + 1h), 0U) << "only once";
  EXPECT_EQ(connections.open(), 1U) << "it counts until the library has closed it";
}

INSTANTIATE_TEST_SUITE_P(All, Phases,
                         testing::Values(std::pair{Phase::head, 10ms}, std::pair{Phase::body, 20ms},
                                         std::pair{Phase::response, 30ms}, std::pair{Phase::idle, 50ms}));

TEST(Connections, TheServersOwnTimeIsNotLimited) {
  Connections connections({});
  Pair pair;
  connections.admit(pair.ours(), "a", kStart);
  connections.taken(pair.ours(), "a", kStart);
  connections.enter(pair.ours(), Phase::compute, kStart);
  EXPECT_EQ(connections.expire(kStart + 24h), 0U);
}

TEST(Connections, DrainingEndsIdleOnesAtOnceAndOthersWhenTheyAreDone) {
  Connections connections({});
  Pair idle, busy;
  for (const auto* pair : {&idle, &busy}) {
    connections.admit(pair->ours(), "a", kStart);
    connections.taken(pair->ours(), "a", kStart);
  }
  connections.enter(idle.ours(), Phase::idle, kStart);
  connections.enter(busy.ours(), Phase::compute, kStart);
  connections.drain();
  EXPECT_TRUE(idle.shut());
  EXPECT_FALSE(busy.shut());
  EXPECT_FALSE(connections.wait_until_quiet(1ms));
  std::thread later([&] { connections.enter(busy.ours(), Phase::idle, kStart); });
  EXPECT_TRUE(connections.wait_until_quiet(10s));
  later.join();
  EXPECT_TRUE(busy.shut());
}

TEST(Connections, AStopDoesNotWaitLongForHeadsThatNeverEnd) {
  Connections connections({});
  Pair slow;
  connections.admit(slow.ours(), "a", kStart);
  connections.taken(slow.ours(), "a", kStart);
  connections.drain();
  const auto start = Clock::now();
  EXPECT_TRUE(connections.wait_until_quiet(1h));
  EXPECT_LT(Clock::now() - start, 10min);
  connections.shut_down_all();
  EXPECT_TRUE(slow.shut());
}

std::string peer_of_text(const char* text) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) return peer_of(reinterpret_cast<sockaddr*>(&v6));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &v4.sin_addr);
  return peer_of(reinterpret_cast<sockaddr*>(&v4));
}

TEST(Connections, APeerIsAnAddressOrANetworkOfAddresses) {
  EXPECT_EQ(peer_of_text("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(peer_of_text("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(peer_of_text("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(peer_of_text("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
  EXPECT_NE(peer_of_text("2001:db8:1:3::1"), "2001:db8:1:2::/64");
}

}  // namespace
}  // namespace infoscissors::front
