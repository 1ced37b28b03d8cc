#include "infoscissors/bench/child.h"

#include "tests/support/expect_error.h"

#include <csignal>

namespace infoscissors::bench {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::message_of;

TEST(Child, WaitsForTheReadyLineAndReadsItsValues) {
  const Child child(
      {"/bin/sh", "-c", "echo starting; echo 'ready grpc=127.0.0.1:81 rest=127.0.0.1:80' >&2; exec sleep 60"});
  EXPECT_EQ(child.ready("grpc"), "127.0.0.1:81");
  EXPECT_EQ(child.ready("rest"), "127.0.0.1:80");
  EXPECT_THAT(message_of([&] { child.ready("http"); }), HasSubstr("does not say http"));
  EXPECT_EQ(::kill(child.pid(), 0), 0);
}

TEST(Child, EndsWithTheObject) {
  pid_t pid = 0;
  {
    const Child child({"/bin/sh", "-c", "echo ready a=1; exec sleep 60"});
    pid = child.pid();
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Child, ThatWritesALotGoesOn) {
  // Two pipes full: it would stop before its own end if nobody read on.
  const Child child({"/bin/sh", "-c", "echo ready a=1; head -c 200000 /dev/zero; exec sleep 60"});
  EXPECT_EQ(child.ready("a"), "1");
}

TEST(Child, WhatItSaidIsInTheErrorWhereItFails) {
  EXPECT_THAT(message_of([] {
                Child({"/bin/sh", "-c", "echo 'error: no such bundle' >&2; exit 1"});
              }),
              AllOf(HasSubstr("ended before it was ready"), HasSubstr("no such bundle")));
  EXPECT_THAT(message_of([] { Child({"/nowhere/program"}); }), HasSubstr("cannot be started"));
  EXPECT_THAT(message_of([] {
                Child({"/bin/sh", "-c", "echo already; exec sleep 60"}, std::chrono::seconds(1));
              }),
              AllOf(HasSubstr("not ready within 1 s"), HasSubstr("already")));
}

}  // namespace
}  // namespace infoscissors::bench
