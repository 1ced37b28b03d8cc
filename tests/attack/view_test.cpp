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
concept HasQuery = requires(const View& view) {
  view.query;
};
template <class View>
concept HasObserve = requires(const View& view) {
  view.observe;
};
template <class View>
concept HasAdversary = requires(const View& view) {
  view.adversary;
};
template <class View>
concept HasTruth = requires(const View& view) {
  view.images;
}
|| requires(const View& view) {
  view.labels;
}
|| requires(const View& view) {
  view.classifier;
};
template <class Attack, class View>
concept RunsOn = requires(const Attack& attack, const View& view) {
  attack.run(view);
};

// Who has what, in the order head, release, query, observe, adversary; nobody has the truth or the classifier.
template <class View, bool head, bool release, bool query, bool observe, bool adversary>
constexpr bool grants = HasHead<View> == head&& HasRelease<View> == release&& HasQuery<View> ==
                            query&& HasObserve<View> == observe&& HasAdversary<View> == adversary &&
                        !HasTruth<View>;
static_assert(grants<NoQueryView, false, false, false, false, false>);
static_assert(grants<BlackBoxView, false, false, true, false, false>);
static_assert(grants<ActiveView, false, false, true, false, false>);
static_assert(grants<AdaptiveView, false, false, true, true, true>);
static_assert(grants<WhiteBoxView, true, true, true, false, false>);
static_assert(grants<AdaptiveWhiteBoxView, true, true, true, true, false>);

// An attack runs on its own view and on stronger ones, never on one that grants less or something else.
static_assert(RunsOn<NoQueryAttack, NoQueryView> && RunsOn<NoQueryAttack, WhiteBoxView>);
static_assert(RunsOn<BlackBoxAttack, BlackBoxView> && !RunsOn<BlackBoxAttack, NoQueryView>);
static_assert(RunsOn<WhiteBoxAttack, WhiteBoxView> && !RunsOn<WhiteBoxAttack, BlackBoxView>);
static_assert(RunsOn<ActiveAttack, ActiveView> && !RunsOn<ActiveAttack, BlackBoxView>);
static_assert(RunsOn<AdaptiveAttack, AdaptiveView> && !RunsOn<AdaptiveAttack, BlackBoxView>);
static_assert(!RunsOn<AdaptiveAttack, WhiteBoxView> && !RunsOn<AdaptiveAttack, AdaptiveWhiteBoxView>);
static_assert(!RunsOn<AdaptiveWhiteBoxAttack, WhiteBoxView> && !RunsOn<AdaptiveWhiteBoxAttack, AdaptiveView>);
static_assert(!std::is_convertible_v<BlackBoxView, WhiteBoxView>);
// A view has no virtual function through which what it really is could be found out.
static_assert(!std::is_polymorphic_v<NoQueryView> && !std::is_polymorphic_v<AdaptiveWhiteBoxView>);

TEST(Registry, ListsTheAttacksWithTheirThreatModels) {
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"amc", {"active", "prediction"}},
      {"cluster", {"black-box", "prediction"}},
      {"combined-input", {"black-box", "input"}},
      {"combined-label", {"black-box", "prediction"}},
      {"ka", {"black-box", "input"}},
      {"ka-adaptive", {"adaptive", "input"}},
      {"knn", {"black-box", "prediction"}},
      {"pmc", {"black-box", "prediction"}},
      {"pmc-adaptive", {"adaptive", "prediction"}},
      {"prior", {"white-box", "input"}},
      {"query-free", {"no-query", "input"}},
      {"rmle", {"white-box", "input"}},
      {"rmle-adaptive", {"adaptive-white-box", "input"}},
      {"scratch", {"black-box", "prediction"}},
  };
  EXPECT_EQ(registry().entries().size(), expected.size());
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
