#include "infoscissors/base/file.h"

#include "infoscissors/base/json.h"
#include "infoscissors/base/log.h"
#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <limits>
#include <ostream>

namespace infoscissors::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(File, RoundTripsBytes) {
  const Scratch scratch("file");
  const std::string bytes("a\0\r\n\xff", 5);
  write_file(scratch / "x", bytes);
  EXPECT_EQ(read_file(scratch / "x"), bytes);
  write_file(scratch / "x", "");
  EXPECT_EQ(read_file(scratch / "x"), "");
  EXPECT_EQ(entries(scratch.path()), 1u);
}

TEST(File, ReadingSaysWhy) {
  const Scratch scratch("file");
  EXPECT_EQ(error_of([&] { read_file(scratch / "none"); }),
            (scratch / "none").string() + ": cannot be read: No such file or directory");
  EXPECT_THAT(error_of([&] { read_file(scratch.path()); }), HasSubstr("is a directory, not a file"));
  EXPECT_THAT(error_of([&] { read_file(scratch / std::string(300, 'x')); }), HasSubstr("File name too long"));
}

TEST(File, AnErrorWhileReadingIsNoShorterFile) {
  // The first page of a process's memory cannot be read: the open succeeds, the read fails.
  EXPECT_THAT(error_of([] { read_file("/proc/self/mem"); }), StartsWith("/proc/self/mem: cannot be read"));
}

TEST(File, AFailingProducerLeavesTheOldFile) {
  const Scratch scratch("file");
  write_file(scratch / "x", "old");
  const auto fail = [](std::ostream& out) {
    out << "half";
    throw Error("producer failed");
  };
  EXPECT_EQ(error_of([&] { write_file(scratch / "x", fail); }), "producer failed");
  EXPECT_EQ(read_file(scratch / "x"), "old");
  EXPECT_EQ(entries(scratch.path()), 1u);
}

TEST(File, UnwritablePlacesAreNamed) {
  const Scratch scratch("file");
  EXPECT_THAT(error_of([&] { write_file(scratch / "no/x", "a"); }),
              HasSubstr("no/x: cannot be written: No such file or directory"));
  write_file(scratch / "file", "a");
  EXPECT_THAT(error_of([&] { write_file(scratch / "file/x", "a"); }), HasSubstr("Not a directory"));
  fs::create_directory(scratch / "directory");
  EXPECT_THAT(error_of([&] { write_file(scratch / "directory", "a"); }), HasSubstr("directory: cannot be written"));
  EXPECT_EQ(entries(scratch.path()), 2u);
}

// A limit on the size of files stands in for a full disk: in both cases write() fails in the middle.
TEST(File, AFullDiskIsAnErrorAndLeavesNothingBehind) {
  const Scratch scratch("file");
  write_file(scratch / "x", "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = error_of([&] { write_file(scratch / "x", std::string(100000, 'a')); });
    ::_exit(message.find("cannot be written: File too large") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(scratch / "x"), "old");
  EXPECT_EQ(entries(scratch.path()), 1u);
}

TEST(Directory, IsCreatedWithItsParents) {
  const Scratch scratch("file");
  ensure_directory(scratch / "a/b/c");
  EXPECT_TRUE(fs::is_directory(scratch / "a/b/c"));
  ensure_directory(scratch / "a/b/c");
}

TEST(Directory, ThatCannotBeIsNamed) {
  const Scratch scratch("file");
  write_file(scratch / "file", "a");
  EXPECT_THAT(error_of([&] { ensure_directory(scratch / "file"); }),
              HasSubstr("file: cannot be created as a directory"));
  EXPECT_THAT(error_of([&] { ensure_directory(scratch / "file/b"); }), HasSubstr("cannot be created as a directory"));
  EXPECT_THAT(error_of([&] { ensure_directory("/proc/self/infoscissors"); }), StartsWith("/proc/self/infoscissors: "));
}

TEST(Json, RoundTripsThroughAFile) {
  const Scratch scratch("json");
  const Json document = {{"b", {1, 2.5, nullptr}}, {"a", "x"}, {"seed", 18446744073709551615u}};
  write_json(scratch / "x.json", document);
  EXPECT_EQ(read_json(scratch / "x.json"), document);
  EXPECT_THAT(read_file(scratch / "x.json"), StartsWith("{\n  \"a\": \"x\""));
}

TEST(Json, WritesWhatItCannotHoldAsWellAsItCan) {
  const Scratch scratch("json");
  write_json(scratch / "x.json", {{"nan", std::numeric_limits<double>::quiet_NaN()}, {"bytes", "a\xff"}});
  const Json back = read_json(scratch / "x.json");
  EXPECT_TRUE(back["nan"].is_null());
  EXPECT_EQ(back["bytes"], "a\xef\xbf\xbd");
}

TEST(Json, SyntaxErrorsNameFileAndPosition) {
  const Scratch scratch("json");
  write_file(scratch / "x.json", "{\n  \"a\": 1,,\n}");
  EXPECT_THAT(error_of([&] { read_json(scratch / "x.json"); }),
              testing::AllOf(HasSubstr("x.json: not valid JSON"), HasSubstr("line 2, column 10")));
}

TEST(Toml, RoundTripsEveryKindOfValue) {
  const Scratch scratch("toml");
  const Json document = {{"flag", true},
                         {"whole", -9007199254740993},
                         {"real", 0.1},
                         {"round", 2.0},
                         {"text", "a \"b\"\n\t\\ \xc3\xa9"},
                         {"empty", Json::array()},
                         {"list", {"a", "b"}},
                         {"mixed", {1, {2, 3}, {{"k", "v"}}}},
                         {"table", {{"inner", {{"x", 1}}}, {"odd key.", 2}}},
                         {"tables", {{{"a", 1}}, {{"a", 2}}}}};
  write_file(scratch / "x.toml", to_toml(document));
  const Json back = read_toml(scratch / "x.toml");
  EXPECT_EQ(back, document);
  EXPECT_TRUE(back["round"].is_number_float());
}

TEST(Toml, WhatItCannotHoldIsRefused) {
  EXPECT_EQ(error_of([] { to_toml({{"a", nullptr}}); }), "TOML cannot hold the value null");
  EXPECT_THAT(error_of([] {
                to_toml({{"a", 18446744073709551615u}});
              }),
              StartsWith("TOML cannot hold the whole number 18446744073709551615"));
}

TEST(Toml, SyntaxErrorsNameFileLineAndColumn) {
  const Scratch scratch("toml");
  write_file(scratch / "x.toml", "a = 1\nb = = 2\n");
  EXPECT_THAT(error_of([&] { read_toml(scratch / "x.toml"); }), HasSubstr("x.toml:2:5: "));
  write_file(scratch / "x.toml", "[\nmodels]\n");
  EXPECT_THAT(error_of([&] { read_toml(scratch / "x.toml"); }), HasSubstr("x.toml:1:"));
  write_file(scratch / "x.toml", "a = fa\n");  // the parser quotes as much as the right word would have had
  EXPECT_THAT(error_of([&] { read_toml(scratch / "x.toml"); }), Not(HasSubstr("\n")));
  write_file(scratch / "x.toml", "[\x01]\n");
  EXPECT_THAT(error_of([&] { read_toml(scratch / "x.toml"); }), HasSubstr("x.toml:1:"));
  write_file(scratch / "x.toml", "a = 1\na = 2\n");
  EXPECT_THAT(error_of([&] { read_toml(scratch / "x.toml"); }),
              StartsWith("usage: " + (scratch / "x.toml").string() + ":2:"));
  write_file(scratch / "x.toml", "\nday = 2024-01-01\n");
  EXPECT_EQ(error_of([&] { read_toml(scratch / "x.toml"); }),
            "usage: " + (scratch / "x.toml").string() + ":2: dates and times have no meaning in a configuration");
}

TEST(Log, GoesToTheFileAtEveryLevel) {
  const Scratch scratch("log");
  log::set_level(log::Level::error);
  log::open_log_file(scratch / "log.txt");
  log::debug("steps {}", 3);
  log::warning("careful");
  log::close_log_file();
  log::warning("after");
  log::set_level(log::Level::info);
  const std::string text = read_file(scratch / "log.txt");
  EXPECT_THAT(text, HasSubstr("debug steps 3\n"));
  EXPECT_THAT(text, HasSubstr("warning: careful\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("after")));
  EXPECT_THAT(error_of([&] { log::open_log_file(scratch / "log.txt/x"); }), HasSubstr("log.txt/x: cannot be written"));
}

}  // namespace
}  // namespace infoscissors::base
