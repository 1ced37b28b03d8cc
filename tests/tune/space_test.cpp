#include "infoscissors/tune/space.h"
#include "infoscissors/base/error.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace infoscissors::tune {
namespace {

using Texts = std::vector<std::string>;

std::string refusal(const std::string& text) {
  try {
    expand_alternatives(text);
  } catch (const base::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Space, AlternativesAreCombinedTheFirstVaryingSlowest) {
  EXPECT_EQ(expand_alternatives("mid"), (Texts{"mid"}));
  EXPECT_EQ(expand_alternatives("a(x={1|2},y={3|4})"), (Texts{"a(x=1,y=3)", "a(x=1,y=4)", "a(x=2,y=3)", "a(x=2,y=4)"}));
  EXPECT_EQ(expand_alternatives("{an|mid}"), (Texts{"an", "mid"}));
  EXPECT_EQ(expand_alternatives("an(scale={0.5})"), (Texts{"an(scale=0.5)"}));
}

TEST(Space, WhatDoesNotMatchIsRefused) {
  EXPECT_EQ(refusal("an(scale={1|2)"), "'an(scale={1|2)': there is a { without its }");
  EXPECT_EQ(refusal("an(scale={1{2}})"), "'an(scale={1{2}})': there is a { without its }");
  EXPECT_EQ(refusal("an(scale=1})"), "'an(scale=1})': there is a } without its {");
  EXPECT_EQ(refusal("an(scale={1||2})"), "'an(scale={1||2})': an alternative is empty");
  const std::string ten = "{1|2|3|4|5|6|7|8|9|0}";
  EXPECT_EQ(expand_alternatives(ten + ten + ten + ten).size(), kMostSettings);
  const auto more = ten + ten + ten + ten + "{1|2}";
  EXPECT_EQ(refusal(more), "'" + more + "' stands for more than 10000 settings");
}

TEST(Space, SettingsLieAroundEveryStrengthAndInItsRange) {
  EXPECT_EQ(settings_around("an(scale=0.2)"),
            (Texts{"an(scale=0.05)", "an(scale=0.1)", "an(scale=0.2)", "an(scale=0.4)", "an(scale=0.8)"}));
  // The weight of a term stays below 1, other options stay as they are.
  EXPECT_EQ(settings_around("infoscissors(input=0.4,guard=0.7)"),
            (Texts{"infoscissors(input=0.1,guard=0.7)", "infoscissors(input=0.2,guard=0.7)",
                   "infoscissors(input=0.4,guard=0.7)", "infoscissors(input=0.8,guard=0.7)"}));
  EXPECT_EQ(settings_around("infoscissors(input=0.1,prediction=0.1)").size(), 25U);
  EXPECT_THROW(settings_around("none"), base::UsageError);
  EXPECT_THROW(settings_around("mid"), base::UsageError);
}

TEST(Space, TheSameSettingCountsOnce) {
  EXPECT_EQ(canonical_settings({"an(scale=0.1)", "an(scale=0.10)", "an"}), (Texts{"an"}));
  EXPECT_THROW(canonical_settings({"an(scael=0.1)"}), base::UsageError);
}

TEST(Space, ADrawIsASubsetInOrderThatTheSeedDecides) {
  const auto all = expand_alternatives("{a|b|c|d|e|f|g|h}");
  const auto some = draw(all, 3, 1);
  EXPECT_EQ(some.size(), 3U);
  EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
  EXPECT_EQ(std::adjacent_find(some.begin(), some.end()), some.end());
  EXPECT_EQ(draw(all, 3, 1), some);
  EXPECT_EQ(draw(all, 8, 1), all);
  bool differs = false;
  for (std::uint64_t seed = 2; seed < 10; ++seed) differs = differs || draw(all, 3, seed) != some;
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace infoscissors::tune
