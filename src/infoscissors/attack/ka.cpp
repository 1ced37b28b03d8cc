#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/inverse.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"

namespace infoscissors::attack {
namespace {

/// Knowledge alignment: an inverse network r -> x trained on queried pairs.
class Ka final : public BlackBoxAttack {
 public:
  using Options = InverseOptions;
  explicit Ka(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {"ka", "knowledge alignment: an inverse network r -> x trained on queries of auxiliary images",
            "Duan et al. 2024, section 5; He et al. 2019, inverse network", Goal::input};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto images = draw_images(view, "ka", options_.budget).to(view.device, torch::kFloat32);
    QueryMeter query(view, "ka", options_.budget * options_.draws);
    const auto answers = query(images);
    const Standardizer standard(answers);
    Outcome outcome;
    outcome.details = {
        {"queries", query.used()}, {"live_channels", standard.live()}, {"dead_channels", standard.dead()}};
    if (standard.live() == 0) {
      outcome.reconstructions = mean_guess(images, view.representations.size(0));
      return outcome;
    }
    const Pairs pairs{standard.live_only(answers), images};
    const auto decoder =
        make_inverse(options_.decoder, pairs.inputs.sizes().slice(1).vec(), view.image, options_.width);
    initialise(*decoder, view.seed, "ka:weights");
    decoder->to(view.device);
    const auto redraw = [&](const torch::Tensor& asked) { return standard.live_only(query(asked)); };
    fit_inverse("ka", *decoder, pairs, redraw, options_, view, outcome.details);
    outcome.details["queries"] = query.used();
    outcome.reconstructions = invert_with(*decoder, view.representations, view.device,
                                          [&](const torch::Tensor& r) { return standard.live_only(r); });
    return outcome;
  }

 private:
  Options options_;
};

const bool kKaRegistered = register_attack<Ka>();

}  // namespace
}  // namespace infoscissors::attack
