#include "infoscissors/study/labels.h"
#include "infoscissors/attack/attack.h"
#include "infoscissors/defense/defense.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

/// Tables and figures read specs without the registries (and libtorch): what they take for a default must be one.
namespace infoscissors::experiment {
namespace {

using base::Json;

Json option_of(const Json& options, const std::string& name) {
  for (const auto& option : options) {
    if (option.at("name").get<std::string>() == name) return option.at("default");
  }
  return nullptr;
}

TEST(Labels, ImplyEveryDefencesDefaultStrength) {
  for (const auto& entry : defense::registry().entries()) {
    const auto& name = entry.doc.name;
    if (name.starts_with("test-")) continue;  // registered by a test beside this one
    const auto option = study::strength_option(name);
    if (name == "none" || option.empty()) {
      EXPECT_EQ(name, "none") << "has no strength in study/labels.cpp";
      continue;
    }
    const auto fallback = option_of(entry.options, option);
    ASSERT_TRUE(fallback.is_number()) << name << " has no option " << option;
    EXPECT_EQ(study::strength_of(name), fallback.get<double>()) << name;
  }
}

TEST(Labels, ImplyOtherVariantsDefaultStrength) {
  const auto& dp = defense::registry().find("dp").options;
  const auto& dc = defense::registry().find("dc").options;
  EXPECT_EQ(study::strength_of("dp(mode=raw)"), option_of(dp, "scale").get<double>());
  EXPECT_EQ(study::strength_of("dc(variant=quantise)"), option_of(dc, "bins").get<double>());
}

TEST(Labels, ImplyEveryAttacksDefaultMeans) {
  for (const auto& entry : attack::registry().entries()) {
    const auto& name = entry.doc.name;
    const auto budget = option_of(entry.options, "budget"), labels = option_of(entry.options, "labels");
    const auto decoder = option_of(entry.options, "decoder"), head = option_of(entry.options, "head");
    const auto& images = budget.is_number() ? budget : labels;
    EXPECT_TRUE(images.is_number() ? study::budget_of(name) == images.get<double>()
                                   : std::isnan(study::budget_of(name)))
        << name;
    const auto& family = decoder.is_string() ? decoder : head;
    EXPECT_EQ(study::decoder_of(name), family.is_string() ? family.get<std::string>() : "") << name;
  }
}

}  // namespace
}  // namespace infoscissors::experiment
