#include "infoscissors/base/error.h"
#include "infoscissors/tensor/device.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include <concepts>
#include <filesystem>
#include <map>
#include <variant>

namespace infoscissors::attack {
namespace {

/// A quick setting of each attack and the most queries and observations it may then make; a new attack must be given
/// its line here.
struct Setting {
  std::string spec;
  std::int64_t queries, observations;
};
const std::map<std::string, Setting> kQuick = {
    {"amc", {"amc(labels=12,steps=20)", 12, 1}},
    {"cluster", {"cluster(labels=12)", 12, 1}},
    {"combined-input", {"combined-input(budget=20,steps=6,epochs=1,width=4,draws=2)", 40, 1}},
    {"combined-label", {"combined-label(labels=12,steps=20,draws=2)", 24, 1}},
    {"ka", {"ka(budget=20,steps=6,epochs=1,width=4,draws=2)", 40, 1}},
    {"ka-adaptive", {"ka-adaptive(budget=20,steps=6,epochs=1,width=4,draws=2,average=3)", 120, 3}},
    {"knn", {"knn(labels=12,neighbours=3)", 12, 1}},
    {"pmc", {"pmc(labels=12,steps=20,semi=true,semi_steps=20,draws=2)", 24, 1}},
    {"pmc-adaptive", {"pmc-adaptive(labels=12,steps=20,draws=2,average=3)", 72, 3}},
    {"prior", {"prior(steps=5,width=4,starts=2)", 0, 1}},
    {"query-free", {"query-free(labels=20,epochs=2,steps=5)", 0, 1}},
    {"rmle", {"rmle(steps=5,starts=3)", 0, 1}},
    {"rmle-adaptive", {"rmle-adaptive(steps=5,starts=3,average=3)", 0, 3}},
    {"scratch", {"scratch(labels=12,epochs=2)", 12, 1}},
};

/// Runs an attack on the view that its threat model grants, which `make` builds.
template <class Make>
Outcome run_on(const std::string& spec, const Make& make) {
  return std::visit(
      [&](const auto& method) {
        using View = typename std::decay_t<decltype(*method)>::View;
        return method->run(make.template operator()<View>());
      },
      registry().make(base::parse_spec(spec)));
}

Outcome run_on_toy(const std::string& spec, const Toy& toy, std::int64_t attacked = 8) {
  return run_on(spec, [&]<class View>() { return toy.view<View>(attacked); });
}

void expect_answer(const std::string& name, const Outcome& outcome, const std::vector<std::int64_t>& images,
                   std::int64_t classes) {
  if (goal_of(name) == Goal::input) {
    ASSERT_EQ(outcome.reconstructions.sizes().vec(), images);
    EXPECT_GE(outcome.reconstructions.min().item<double>(), 0);
    EXPECT_LE(outcome.reconstructions.max().item<double>(), 1);
    EXPECT_FALSE(outcome.reconstructions.requires_grad());
  } else {
    ASSERT_EQ(outcome.predictions.sizes().vec(), (std::vector<std::int64_t>{images.front()}));
    ASSERT_EQ(outcome.predictions.scalar_type(), torch::kInt64);
    EXPECT_TRUE(outcome.predictions.ge(0).logical_and(outcome.predictions.lt(classes)).all().item<bool>());
  }
}

bool same(const Outcome& a, const Outcome& b) {
  const auto equal = [](const torch::Tensor& x, const torch::Tensor& y) {
    return x.defined() == y.defined() && (!x.defined() || torch::equal(x, y));
  };
  return equal(a.reconstructions, b.reconstructions) && equal(a.predictions, b.predictions) && a.details == b.details;
}

TEST(Conformance, EveryRegisteredAttackHasASettingAndAPage) {
  EXPECT_GE(registry().entries().size(), 14U) << "registration was lost";
  const auto pages = std::filesystem::path(INFOSCISSORS_TEST_DATA) / "../../../docs/attacks";
  for (const auto& name : registry().names()) {
    EXPECT_TRUE(kQuick.contains(name)) << name;
    EXPECT_TRUE(std::filesystem::exists(pages / (name + ".md"))) << name;
  }
}

TEST(Conformance, AnswersAreInRangeAndRepeatFromTheirSeed) {
  for (const auto& [name, quick] : kQuick) {
    SCOPED_TRACE(quick.spec);
    for (const std::int64_t channels : {1, 3}) {
      const Toy toy(channels);
      const auto outcome = run_on_toy(quick.spec, toy);
      expect_answer(name, outcome, {8, channels, 16, 16}, 4);
      EXPECT_TRUE(same(outcome, run_on_toy(quick.spec, Toy(channels))));
    }
  }
}

TEST(Conformance, BudgetsAreKeptAndReported) {
  for (const auto& [name, quick] : kQuick) {
    SCOPED_TRACE(quick.spec);
    const Toy toy;
    const auto outcome = run_on_toy(quick.spec, toy);
    EXPECT_LE(*toy.queried, quick.queries);
    EXPECT_EQ(outcome.details.value("queries", std::int64_t{0}), *toy.queried);
    EXPECT_EQ(*toy.observed, quick.observations - 1);
    EXPECT_EQ(outcome.details.value("observations", std::int64_t{1}), quick.observations);
  }
}

TEST(Conformance, ASingleInputIsAttacked) {
  for (const auto& [name, quick] : kQuick) {
    SCOPED_TRACE(quick.spec);
    expect_answer(name, run_on_toy(quick.spec, Toy(), 1), {1, 1, 16, 16}, 4);
  }
}

/// The server undoes a shrinking in front of its own encoder.
class Enlarged : public nn::Layer {
 public:
  Enlarged(nn::LayerPtr net, double scale) : net_(std::move(net)), scale_(scale) {}
  torch::Tensor forward(const torch::Tensor& r) override { return net_->forward(r / scale_); }

 private:
  nn::LayerPtr net_;
  double scale_;
};

// A smaller scale of what is sent is no protection: a power of two changes no digit, so nothing at all may change for
// the attacks that learn from the device's answers. (Those that search behind a head: rmle_test.cpp.)
TEST(Conformance, AShrunkenRepresentationIsNoProtection) {
  for (const auto& [name, quick] : kQuick) {
    const auto view_name = registry().find(name).traits.at("view");
    if (view_name != "black-box" && view_name != "active" && view_name != "adaptive") continue;
    SCOPED_TRACE(quick.spec);
    const auto at = [&](double scale) {
      Toy toy;
      toy.encoder.layer = std::make_shared<Enlarged>(toy.encoder.layer, scale);
      return run_on(quick.spec, [&]<class View>() {
        return toy.view<View>(8, [scale](const torch::Tensor& r) { return r * scale; });
      });
    };
    EXPECT_TRUE(same(at(1.0), at(0x1p-13)));
  }
}

/// A layer from samples of any shape to samples of any shape.
class Any : public nn::Layer {
 public:
  Any(const nn::Shape& from, nn::Shape to)
      : linear_(register_module("linear", torch::nn::Linear(nn::element_count(from), nn::element_count(to)))),
        to_(std::move(to)) {
    const torch::NoGradGuard no_grad;
    const auto generator = tensor::make_generator(torch::kCPU, 41, "any");
    for (auto& parameter : parameters()) parameter.uniform_(-0.5, 0.5, generator).set_requires_grad(false);
    to_.insert(to_.begin(), -1);
  }
  torch::Tensor forward(const torch::Tensor& x) override { return linear_->forward(x.flatten(1)).reshape(to_); }

 private:
  torch::nn::Linear linear_;
  nn::Shape to_;
};

template <class View>
View plain_view(const nn::Shape& image, const nn::Shape& representation, const nn::Shape& feature) {
  const auto head = std::make_shared<Any>(image, representation);
  const auto encoder = std::make_shared<Any>(representation, feature);
  auto sizes = image;
  sizes.insert(sizes.begin(), 45);
  const auto images = torch::rand(sizes, tensor::make_generator(torch::kCPU, 42, "any"));
  const auto truth = images.slice(0, 0, 5);
  View view;
  view.encoder = {encoder, representation, feature};
  view.representations = head->forward(truth);
  view.features = encoder->forward(view.representations);
  view.auxiliary = {images.slice(0, 5), torch::arange(40).remainder(3)};
  view.image = image;
  view.classes = 3;
  view.fresh_encoder = [representation, feature] { return std::make_shared<Any>(representation, feature); };
  if constexpr (std::derived_from<View, BlackBoxView>)
    view.query = [head](const torch::Tensor& x) { return head->forward(x); };
  if constexpr (std::derived_from<View, WhiteBoxView>) {
    view.head = {head, image, representation};
    view.release = [](const torch::Tensor& r, const torch::Tensor&) { return r; };
  }
  if constexpr (requires { view.observe; }) {
    view.observe = [r = view.representations, v = view.features]() -> Observation { return {r, v}; };
  }
  return view;
}

TEST(Conformance, TensorsMayHaveAnyShape) {
  struct Shapes {
    nn::Shape image, representation, feature;
  };
  const std::vector<Shapes> all = {{{6}, {5}, {4}},                           // rows of a table
                                   {{2, 9}, {3, 7}, {2, 3}},                  // time series
                                   {{3, 9, 5}, {4, 9, 5}, {6}},               // images that are not square
                                   {{1, 8, 8}, {7}, {2, 2, 2}},               // images behind a vector
                                   {{2, 3, 4, 5}, {2, 2, 2, 2}, {3, 2, 2}}};  // volumes
  for (const auto& [name, quick] : kQuick) {
    for (const auto& shapes : all) {
      SCOPED_TRACE(quick.spec + " " + nn::to_string(shapes.image));
      const auto outcome = run_on(quick.spec, [&]<class View>() {
        return plain_view<View>(shapes.image, shapes.representation, shapes.feature);
      });
      auto expected = shapes.image;
      expected.insert(expected.begin(), 5);
      expect_answer(name, outcome, expected, 3);
    }
  }
}

}  // namespace
}  // namespace infoscissors::attack
