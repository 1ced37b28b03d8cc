#include "tests/attack/toy.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace infoscissors::attack {
namespace {

/// Pages in memory. The process is killed right after one of the writes.
struct Kept {
  struct Killed {};
  std::map<std::string, Notebook::Page> pages;
  int writes = 0, last = 1000;

  Notebook notebook() {
    return {[this](const std::string& name) { return pages[name]; },
            [this](const std::string& name, const Notebook::Page& page) {
              for (const auto& [key, tensor] : page) pages[name][key] = tensor.detach().clone();
              if (++writes == last) throw Killed();
            }};
  }
};

template <class View>
void expect_resumes(const std::string& spec, std::int64_t attacked, int last) {
  const Toy toy;
  auto view = toy.view<View>(attacked);
  const auto whole = run(spec, view);
  Kept kept;
  kept.last = last;
  view.notebook = kept.notebook();
  EXPECT_THROW(run(spec, view), Kept::Killed) << spec;
  const auto resumed = run(spec, view);
  EXPECT_TRUE(torch::equal(whole.reconstructions, resumed.reconstructions)) << spec;
  EXPECT_EQ(whole.details, resumed.details) << spec;
}

TEST(Notebook, AKilledTrainingGoesOnBitForBit) {
  expect_resumes<BlackBoxView>("ka(decoder=conv,width=6,budget=40,batch=8,steps=60,epochs=1)", 8, 2);
  expect_resumes<BlackBoxView>("ka(decoder=res,width=6,budget=24,batch=8,steps=30,epochs=1)", 8, 2);
  expect_resumes<BlackBoxView>("combined-input(decoder=conv,width=6,budget=40,batch=8,steps=60,epochs=1)", 8, 2);
}

// So many starts that only four images fit into a group.
constexpr const char* kGroups = "rmle(steps=1,starts=1024)";

TEST(Notebook, AKilledSearchGoesOnBehindTheLastGroup) {
  expect_resumes<WhiteBoxView>(kGroups, 8, 1);
}

TEST(Notebook, WhatIsWrittenIsNotSearchedAgain) {
  auto view = Toy().white_box(8);
  Kept kept;
  view.notebook = kept.notebook();
  run(kGroups, view);
  ASSERT_EQ(kept.pages.size(), 2U);
  kept.pages.at("group0").at("images").fill_(0.25);
  const auto again = run(kGroups, view).reconstructions;
  EXPECT_TRUE(again.slice(0, 0, 4).eq(0.25).all().item<bool>());
  EXPECT_FALSE(again.slice(0, 4).eq(0.25).any().item<bool>());
}

// With fresh draws the answers of the passes before are gone, so nothing is kept and the training begins anew.
TEST(Notebook, ATrainingWithFreshDrawsKeepsNothing) {
  auto view = Toy().black_box(4);
  Kept kept;
  view.notebook = kept.notebook();
  run("ka(decoder=linear,budget=20,batch=8,steps=30,epochs=1,draws=3)", view);
  EXPECT_EQ(kept.writes, 0);
}

}  // namespace
}  // namespace infoscissors::attack
