#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/inverse.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/base/error.h"

namespace infoscissors::attack {
namespace {

struct KaAdaptiveOptions : InverseOptions {
  std::int64_t average = 4;
  std::string start = "random";

  KaAdaptiveOptions() { draws = 50; }

  base::Fields fields() {
    auto list = InverseOptions::fields();
    list.push_back({"average", &average, base::between(1, 10000),
                    "answers to one image that are averaged, and times that each attacked input is seen"});
    list.push_back({"start", &start, base::one_of({"random", "psi"}),
                    "the network's first weights: random, or the generator that the defence trained against"});
    return list;
  }
};

/// Knowledge alignment by an attacker who knows the defence: trained through its randomness, on means of several
/// answers, and if wanted from the defence's own generator.
class KaAdaptive final : public AdaptiveAttack {
 public:
  static constexpr const char* kName = "ka-adaptive";
  using Options = KaAdaptiveOptions;
  explicit KaAdaptive(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {kName, "ka trained through the defence's randomness on means of several answers, or from its generator psi",
            "Athalye et al. 2018 (expectation over transformation); Duan et al. 2024, section 5", Goal::input};
  }

  Outcome run(const AdaptiveView& view) const override {
    const bool psi = options_.start == "psi";
    if (psi && !view.adversary)
      throw base::UsageError("[{}] start=psi: the defence has no generator psi; use start=random", kName);
    const auto images = draw_images(view, kName, options_.budget).to(view.device, torch::kFloat32);
    QueryMeter query(view, kName, options_.budget * options_.draws * options_.average);
    const auto ask = [&](const torch::Tensor& asked) {
      return mean_of(options_.average, [&] { return query(asked); });
    };
    const auto answers = ask(images);
    const Standardizer standard(answers);
    const auto received = observe(view, view.observe, kName, options_.average).representations;
    Outcome outcome;
    outcome.details = {
        {"live_channels", standard.live()}, {"dead_channels", standard.dead()}, {"observations", options_.average}};
    if (standard.live() == 0) {
      outcome.details["queries"] = query.used();
      outcome.reconstructions = mean_guess(images, received.size(0));
      return outcome;
    }
    // psi standardises what it sees itself and expects every channel, as the device sends it.
    const auto prepare = [&](const torch::Tensor& r) { return psi ? r : standard.live_only(r); };
    const Pairs pairs{prepare(answers), images};
    const auto net = psi ? view.adversary : fresh(pairs, view);
    fit_inverse(
        kName, *net, pairs, [&](const torch::Tensor& asked) { return prepare(ask(asked)); }, options_, view,
        outcome.details);
    outcome.details["queries"] = query.used();
    outcome.reconstructions = invert_with(*net, received, view.device, prepare);
    return outcome;
  }

 private:
  nn::LayerPtr fresh(const Pairs& pairs, const AdaptiveView& view) const {
    auto net = make_inverse(options_.decoder, pairs.inputs.sizes().slice(1).vec(), view.image, options_.width);
    initialise(*net, view.seed, "ka-adaptive:weights");
    net->to(view.device);
    return net;
  }

  Options options_;
};

const bool kKaAdaptiveRegistered = register_attack<KaAdaptive>();

}  // namespace
}  // namespace infoscissors::attack
