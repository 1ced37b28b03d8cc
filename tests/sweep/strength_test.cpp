#include "infoscissors/sweep/strength.h"

#include "tests/support/expect_error.h"

namespace infoscissors::sweep {
namespace {

TEST(Strength, FillsATemplateOrSetsTheOption) {
  EXPECT_EQ(with_strength("an", 0.3, "x"), "an(scale=0.3)");
  EXPECT_EQ(with_strength("dp(noise=gaussian)", 1e5, "x"), "dp(noise=gaussian,epsilon=100000)");
  EXPECT_EQ(with_strength("infoscissors(input={},guard=0.7)", 0.4, "x"), "infoscissors(input=0.4,guard=0.7)");
  EXPECT_EQ(with_strength("infoscissors(input={},prediction={})", 0.2, "x"), "infoscissors(input=0.2,prediction=0.2)");
  EXPECT_EQ(with_strength("an(scale={})+dc(share=0.5)", 2, "x"), "an(scale=2)+dc(share=0.5)");
}

TEST(Strength, RefusesADefenceWithoutOne) {
  const auto refusal = [](const char* text) {
    return tests::message_of<base::UsageError>([&] { with_strength(text, 1, "file: defenses[2]"); });
  };
  EXPECT_EQ(refusal("none"), "file: defenses[2]: 'none' has no strength; leave strengths out");
  EXPECT_THAT(refusal("an(scale=1)"), testing::HasSubstr("strengths are values of scale, which the spec sets to 1"));
  EXPECT_THAT(refusal("an+dc"), testing::HasSubstr("need {} in the spec"));
  EXPECT_THAT(refusal("unheard"), testing::HasSubstr("'unheard'"));
}

TEST(Strength, IsTheOptionWithTheHoleOrTheMethodsOwn) {
  EXPECT_EQ(varied_option("infoscissors(guard=1,prediction={})"), "prediction");
  EXPECT_EQ(varied_option("dc"), "share");
  EXPECT_EQ(varied_option("none"), "");
}

}  // namespace
}  // namespace infoscissors::sweep
