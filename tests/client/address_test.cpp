#include "infoscissors/client/address.h"

#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

namespace infoscissors::client {
namespace {

TEST(Address, IsHostAndPort) {
  for (const char* good : {"127.0.0.1:8001", "localhost:1", "a.example.org:65535", "[::1]:8001", "unix:/run/x.sock"}) {
    EXPECT_NO_THROW(check_address(good)) << good;
  }
  for (const char* bad : {"", ":8001", "host", "host:", "host:0", "host:65536", "host:80x", "host:-1", "::1:8001",
                          "http://host:8001", "ho st:1", "host:123456", "unix:"}) {
    EXPECT_THAT(tests::message_of<base::UsageError>([&] { check_address(bad); }), ::testing::HasSubstr("HOST:PORT"))
        << bad;
  }
}

TEST(Address, KnowsWhatStaysOnTheMachine) {
  for (const char* local : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:x"}) {
    EXPECT_TRUE(is_local(local)) << local;
  }
  for (const char* far : {"10.0.0.1:1", "localhost.example.org:1", "example.org:1", "[::2]:1", "128.127.0.1:1"}) {
    EXPECT_FALSE(is_local(far)) << far;
  }
}

}  // namespace
}  // namespace infoscissors::client
