#include "infoscissors/study/labels.h"

#include "tests/study/fixture.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::study {
namespace {

TEST(Labels, ComeFromTheResolvedConfiguration) {
  const auto labels = labels_of(record_of({.defense = "an(scale=0.3)", .seed = 7}));
  EXPECT_EQ(labels.dataset, "fashion-mnist");
  EXPECT_EQ(labels.backbone, "resnet-small");
  EXPECT_EQ(labels.width, 0.5);
  EXPECT_EQ(labels.cut, "h1c3");
  EXPECT_EQ(labels.defense, "an");
  EXPECT_EQ(labels.strength, 0.3);
  EXPECT_EQ(labels.seed, 7U);
}

TEST(Strength, IsSaidOrImplied) {
  EXPECT_EQ(strength_of("an(scale=0.3,noise=laplace)"), 0.3);
  EXPECT_EQ(strength_of("an"), 0.1);
  EXPECT_EQ(strength_of("dp(mode=raw,scale=0.02)"), 0.02);
  EXPECT_EQ(strength_of("dp"), 1.0);
  EXPECT_EQ(strength_of("dc(variant=quantise,bins=4)"), 4.0);
  EXPECT_EQ(strength_of("infoscissors(input=0.4,guard=0.7)"), 0.4);
  EXPECT_EQ(strength_of("infoscissors(prediction=0.5,prediction_floor=0)"), 0.5);
  EXPECT_EQ(strength_of("infoscissors(input=0.2)+an(scale=3)"), 0.2);
  EXPECT_TRUE(std::isnan(strength_of("none")));
  EXPECT_TRUE(std::isnan(strength_of("")));
}

TEST(Family, IsTheMethodsWithoutOptions) {
  EXPECT_EQ(family_of("infoscissors(input=0.2)+an(scale=3)"), "infoscissors+an");
  EXPECT_EQ(family_of(""), "none");
}

TEST(AttackMeans, AreSaidOrImplied) {
  EXPECT_EQ(budget_of("ka(budget=4000,decoder=res)"), 4000);
  EXPECT_EQ(budget_of("ka"), 400);
  EXPECT_EQ(budget_of("pmc(head=mlp-sim)"), 40);
  EXPECT_TRUE(std::isnan(budget_of("rmle")));
  EXPECT_EQ(decoder_of("ka"), "conv");
  EXPECT_EQ(decoder_of("pmc(head=mlp-sim)"), "mlp-sim");
  EXPECT_EQ(decoder_of("rmle"), "");
}

}  // namespace
}  // namespace infoscissors::study
