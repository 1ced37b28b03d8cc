#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/site.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::defense {
namespace {

struct DcOptions {
  std::string variant = "topk";
  double share = 0.1;
  std::int64_t bins = 12;
  double bound = 4.0;
  std::string site = "representation";

  base::Fields fields() {
    using namespace base;
    return {
        {"variant", &variant, one_of({"topk", "quantise"}), "largest coordinates only, or few levels"},
        {"share", &share, Constraint{.low = 0, .high = 1, .low_open = true, .high_open = false, .choices = {}},
         "topk: share of each sample's coordinates that is kept, the largest in magnitude"},
        {"bins", &bins, between(1, 65536), "quantise: steps between -bound and bound"},
        {"bound", &bound, greater_than(0), "quantise: largest magnitude"},
        site_field(site, /*gradient=*/true),
    };
  }
};

/// Data compression (Fu et al. 2022): each sample keeps its largest coordinates (gradient compression), or every value
/// is rounded to a multiple of 2 bound / bins and clipped (DiscreteSGD). Gradients pass to what is kept; through the
/// rounding, whose derivative is 0, they pass unchanged inside the bound (straight-through).
class DataCompression : public Defense {
 public:
  using Options = DcOptions;
  explicit DataCompression(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"dc", "data compression: the largest coordinates of each sample, or few levels",
            "Fu et al., USENIX Security 2022"};
  }
  static std::string sites() { return "representation, feature, gradient"; }

  Learns learns() const override { return options_.site == kGradient ? Learns::network : Learns::nothing; }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase, torch::Generator&,
                        const torch::Tensor&) override {
    return covers(options_.site, site) ? compress(exposed) : exposed;
  }

  torch::Tensor release_gradient(const torch::Tensor& gradient, torch::Generator&) override {
    return options_.site == kGradient ? compress(gradient).to(gradient.scalar_type()) : gradient;
  }

 private:
  torch::Tensor compress(const torch::Tensor& samples) const {
    const auto values = samples.to(torch::kFloat32);  // bf16 has no room for the levels
    return options_.variant == "topk" ? largest(values) : quantised(values);
  }

  torch::Tensor largest(const torch::Tensor& samples) const {
    const auto flat = samples.flatten(1);
    // Without the margin 0.29 of 100 would be 28.
    const auto exact = options_.share * static_cast<double>(flat.size(1));
    const auto kept = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(exact + 1e-9)));
    const auto index = std::get<1>(flat.detach().abs().topk(kept, 1));
    const auto mask = torch::zeros_like(flat).scatter_(1, index, 1.0);
    return (flat * mask).view(samples.sizes());
  }

  torch::Tensor quantised(const torch::Tensor& samples) const {
    const double step = 2 * options_.bound / static_cast<double>(options_.bins);
    const auto inside = samples.clamp(-options_.bound, options_.bound);
    const auto rounded = (samples.detach() / step).round().mul(step).clamp(-options_.bound, options_.bound);
    return rounded + (inside - inside.detach());  // in this order: the difference is exactly 0
  }

  Options options_;
};

const bool kDataCompressionRegistered = register_defense<DataCompression>();

}  // namespace
}  // namespace infoscissors::defense
