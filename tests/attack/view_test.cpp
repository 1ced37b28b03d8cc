#include "infoscissors/attack/query.h"
#include "infoscissors/base/error.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <type_traits>
#include <utility>

namespace infoscissors::attack {
namespace {

// What a threat model does not grant does not compile.
template <class View>
concept HasHead = requires(const View& view) {
  view.head;
};
template <class View>
concept HasRelease = requires(const View& view) {
  view.release;
};
template <class View>
concept HasTruth = requires(const View& view) {
  view.images;
}
|| requires(const View& view) {
  view.labels;
};
template <class Attack, class View>
concept RunsOn = requires(const Attack& attack, const View& view) {
  attack.run(view);
};

static_assert(!HasHead<BlackBoxView> && HasHead<WhiteBoxView>);
static_assert(!HasRelease<BlackBoxView> && HasRelease<WhiteBoxView>);
static_assert(!HasTruth<BlackBoxView> && !HasTruth<WhiteBoxView>);
static_assert(RunsOn<BlackBoxAttack, BlackBoxView> && RunsOn<WhiteBoxAttack, WhiteBoxView>);
static_assert(!RunsOn<WhiteBoxAttack, BlackBoxView>);
static_assert(!std::is_convertible_v<BlackBoxView, WhiteBoxView>);

TEST(Registry, ListsTheAttacksWithTheirThreatModels) {
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"ka", {"black-box", "input"}},
      {"pmc", {"black-box", "prediction"}},
      {"rmle", {"white-box", "input"}},
      {"scratch", {"black-box", "prediction"}},
  };
  for (const auto& [name, traits] : expected) {
    const auto& entry = registry().find(name);
    EXPECT_EQ(entry.traits.at("view"), traits.first) << name;
    EXPECT_EQ(entry.traits.at("goal"), traits.second) << name;
    EXPECT_FALSE(entry.doc.summary.empty() || entry.doc.source.empty()) << name;
    EXPECT_EQ(view_name(entry.make({.name = name, .options = {}})), traits.first) << name;
  }
}

TEST(Registry, RefusesOptionsOutOfRange) {
  const auto refusal = [](const std::string& spec) {
    return message_of([&] { registry().make(base::parse_spec(spec)); });
  };
  EXPECT_THAT(refusal("ka(decoder=deep)"), testing::HasSubstr("decoder must be one of linear, conv, res"));
  EXPECT_THAT(refusal("ka(budget=0)"), testing::HasSubstr("budget must be >= 4"));
  EXPECT_THAT(refusal("ka(validation=1)"), testing::HasSubstr("validation"));
  EXPECT_THAT(refusal("rmle(tv=-1)"), testing::HasSubstr("tv must be >= 0"));
  EXPECT_THAT(refusal("pmc(head=svm)"), testing::HasSubstr("one of mlp, mlp-sim"));
  EXPECT_THAT(refusal("scratch(labels=1)"), testing::HasSubstr("labels must be >= 2"));
}

TEST(Attacks, RefuseABudgetAboveTheAuxiliarySet) {
  const Toy toy;
  for (const char* spec : {"ka(budget=400)", "pmc(labels=400)", "scratch(labels=400)"}) {
    const auto call = [&] { run(spec, toy.black_box()); };
    EXPECT_THROW(call(), base::UsageError) << spec;
    EXPECT_THAT(message_of(call), testing::HasSubstr("is 400, but the auxiliary set holds 256 images")) << spec;
  }
}

TEST(Attacks, AskNoMoreThanTheirBudgetAndSaySo) {
  const std::map<std::string, std::int64_t> budgets = {{"ka(budget=30,steps=1,epochs=1,decoder=linear)", 30},
                                                       {"pmc(labels=12,steps=10)", 12},
                                                       {"scratch(labels=9,epochs=1)", 9}};
  for (const auto& [spec, budget] : budgets) {
    const Toy toy;
    const auto outcome = run(spec, toy.black_box());
    EXPECT_EQ(*toy.queried, budget) << spec;
    EXPECT_EQ(outcome.details.at("queries").get<std::int64_t>(), budget) << spec;
  }
  const Toy toy;
  run("rmle(steps=2)", toy.white_box());
  EXPECT_EQ(*toy.queried, 0);
}

TEST(Attacks, SayWhenTheViewGrantsNoQueries) {
  auto view = Toy().black_box();
  view.query = nullptr;
  EXPECT_THAT(message_of([&] { run("ka(budget=8)", view); }), testing::HasSubstr("does not grant"));
}

TEST(QueryMeter, RefusesBeforeItAsks) {
  const Toy toy;
  const auto view = toy.black_box();
  QueryMeter query(view, "test", 5);
  query(toy.images.slice(0, 0, 3));
  EXPECT_THAT(message_of([&] { query(toy.images.slice(0, 0, 3)); }), testing::HasSubstr("1 more than its budget of 5"));
  EXPECT_EQ(*toy.queried, 3);
  EXPECT_EQ(query(toy.images.slice(0, 0, 2)).size(0), 2);
  EXPECT_EQ(query.used(), 5);
}

}  // namespace
}  // namespace infoscissors::attack
