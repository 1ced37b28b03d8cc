#include "infoscissors/base/options.h"

#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::base {
namespace {

struct Example {
  bool flag = false;
  std::int64_t steps = 10;
  double rate = 0.5;
  std::string mode = "conv";
  std::vector<std::string> list = {"a", "b"};

  Fields fields() {
    return {{"flag", &flag, any(), "a switch"},
            {"steps", &steps, between(1, 100), "how often"},
            {"rate", &rate, half_open(0, 1), "how fast"},
            {"mode", &mode, one_of({"conv", "linear"}), "which"},
            {"list", &list, any(), "what"}};
  }
};

std::string assign_error(const Json& object) {
  Example example;
  return error_of([&] { assign(example.fields(), object, "[x]"); });
}

std::string text_error(const std::string& key, const std::string& text) {
  Example example;
  return error_of([&] { assign_text(example.fields(), key, text, "[x]"); });
}

TEST(Options, AreAssignedFromJsonAndPrintedBack) {
  Example example;
  const Json object = {{"flag", true}, {"steps", 7}, {"rate", 0.25}, {"mode", "linear"}, {"list", {"c"}}};
  assign(example.fields(), object, "[x]");
  EXPECT_TRUE(example.flag);
  EXPECT_EQ(example.steps, 7);
  EXPECT_EQ(example.rate, 0.25);
  EXPECT_EQ(example.mode, "linear");
  EXPECT_EQ(example.list, std::vector<std::string>{"c"});
  EXPECT_EQ(to_json(example.fields()), object);
}

TEST(Options, WhatIsNotNamedKeepsItsDefault) {
  Example example;
  assign(example.fields(), {{"steps", 7}}, "[x]");
  EXPECT_EQ(example.rate, 0.5);
  EXPECT_EQ(example.list.size(), 2u);
}

TEST(Options, AreAssignedFromText) {
  Example example;
  const auto set = [&](const char* key, const char* text) { assign_text(example.fields(), key, text, "[x]"); };
  set("flag", "true");
  set("steps", "7");
  set("rate", "2.5e-3");
  set("mode", "linear");
  set("list", "ka(a=1;b=2);pmc");
  EXPECT_TRUE(example.flag);
  EXPECT_EQ(example.steps, 7);
  EXPECT_EQ(example.rate, 2.5e-3);
  EXPECT_EQ(example.mode, "linear");
  EXPECT_EQ(example.list, (std::vector<std::string>{"ka(a=1;b=2)", "pmc"}));
  set("rate", "0");  // a whole number is a number
  EXPECT_EQ(example.rate, 0);
}

TEST(Options, UnknownKeysAreErrorsWithASuggestion) {
  EXPECT_EQ(assign_error({{"stepps", 7}}), "usage: [x] has no option 'stepps': did you mean 'steps'?");
  EXPECT_EQ(text_error("zzzzzzzz", "7"),
            "usage: [x] has no option 'zzzzzzzz': known are flag, steps, rate, mode, list");
  EXPECT_EQ(error_of([] {
              assign({}, Json{{"a", 1}}, "[none]");
            }),
            "usage: [none] takes no options, but 'a' was given");
}

TEST(Options, WrongTypesAreErrors) {
  EXPECT_EQ(assign_error({{"flag", 1}}), "usage: [x] flag must be true or false, got 1");
  EXPECT_EQ(assign_error({{"steps", 1.5}}), "usage: [x] steps must be a whole number, got 1.5");
  EXPECT_EQ(assign_error({{"rate", "fast"}}), "usage: [x] rate must be a number, got \"fast\"");
  EXPECT_EQ(assign_error({{"mode", 3}}), "usage: [x] mode must be a string, got 3");
  EXPECT_EQ(assign_error({{"list", {1, 2}}}), "usage: [x] list must be a list of strings, got [1,2]");
  EXPECT_EQ(assign_error({{"rate", nullptr}}), "usage: [x] rate must be a number, got null");
  EXPECT_EQ(assign_error(3), "usage: [x] must be a table of options, got 3");
}

TEST(Options, TextThatDoesNotParseIsAnError) {
  EXPECT_EQ(text_error("flag", "yes"), "usage: [x] flag must be true or false, got 'yes'");
  EXPECT_EQ(text_error("steps", "7x"), "usage: [x] steps must be a whole number, got '7x'");
  EXPECT_EQ(text_error("steps", ""), "usage: [x] steps must be a whole number, got ''");
  EXPECT_EQ(text_error("steps", "99999999999999999999"),
            "usage: [x] steps must be a whole number, got '99999999999999999999'");
  EXPECT_EQ(text_error("rate", "0,5"), "usage: [x] rate must be a number, got '0,5'");
}

TEST(Options, ValuesOutsideTheirRangeAreErrorsAndChangeNothing) {
  EXPECT_EQ(assign_error({{"steps", 0}}), "usage: [x] steps must be in [1, 100], got 0");
  EXPECT_EQ(assign_error({{"steps", 101}}), "usage: [x] steps must be in [1, 100], got 101");
  EXPECT_EQ(assign_error({{"rate", 1.0}}), "usage: [x] rate must be in [0, 1), got 1");
  EXPECT_EQ(assign_error({{"mode", "cnov"}}), "usage: [x] mode must be one of conv, linear, got 'cnov'");
  EXPECT_EQ(text_error("rate", "nan"), "usage: [x] rate must be in [0, 1), got nan");
  Example example;
  EXPECT_THROW(assign(example.fields(), {{"rate", 2}}, "[x]"), UsageError);
  EXPECT_EQ(example.rate, 0.5);
}

TEST(Options, WholeNumbersBeyondInt64AreRefusedNotWrapped) {
  std::int64_t value = 1;
  const Fields fields = {{"seed", &value, any(), ""}};
  EXPECT_THAT(error_of([&] {
                assign(fields, {{"seed", 9223372036854775808u}}, "[x]");
              }),
              testing::HasSubstr("[x] seed must be at most 9223372036854775807, got 9223372036854775808"));
  EXPECT_EQ(value, 1);
}

TEST(Options, UnboundedNumbersMustStillBeFinite) {
  double value = 1;
  const Fields fields = {{"v", &value, any(), ""}};
  EXPECT_EQ(error_of([&] { assign_text(fields, "v", "inf", "[x]"); }), "usage: [x] v must be a finite number, got inf");
}

TEST(Constraint, ReadsAsAPersonWritesIt) {
  EXPECT_EQ(any().text(), "");
  EXPECT_EQ(at_least(1).text(), ">= 1");
  EXPECT_EQ(greater_than(0).text(), "> 0");
  EXPECT_EQ(between(0, 1).text(), "in [0, 1]");
  EXPECT_EQ(half_open(0, 1).text(), "in [0, 1)");
  EXPECT_EQ(one_of({"a", "b"}).text(), "one of a, b");
}

TEST(Constraint, OpenBoundsExcludeTheirEnd) {
  double value = 1;
  const Fields fields = {{"v", &value, greater_than(0), ""}};
  EXPECT_EQ(error_of([&] { assign(fields, {{"v", 0}}, "[x]"); }), "usage: [x] v must be > 0, got 0");
  assign(fields, {{"v", 1e-9}}, "[x]");
  EXPECT_EQ(value, 1e-9);
}

TEST(Describe, ListsTypesDefaultsAndRanges) {
  Example example;
  const Json list = describe(example.fields());
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(
      list[1],
      (Json{{"name", "steps"}, {"type", "integer"}, {"default", 10}, {"range", "in [1, 100]"}, {"help", "how often"}}));
  EXPECT_EQ(list[0]["type"], "boolean");
  EXPECT_EQ(list[2]["type"], "number");
  EXPECT_EQ(list[3]["type"], "string");
  EXPECT_EQ(list[4]["type"], "list of strings");
}

TEST(Nearest, TakesTheSmallestEditDistance) {
  EXPECT_EQ(nearest("infoscisors", {"none", "infoscissors", "shredder"}), "infoscissors");
  EXPECT_EQ(nearest("kaa", {"ka", "rmle"}), "ka");
  EXPECT_EQ(nearest("entirely-else", {"ka", "rmle"}), "");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace infoscissors::base
