#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/site.h"

namespace infoscissors::defense {
namespace {

/// Every element is withheld with probability p, in training and while serving alike, and nothing is rescaled (He et
/// al. 2019). The encoder is trained on such tensors; the dropout of regularisation would be off while serving.
class Dropout : public Defense {
 public:
  struct Options {
    double probability = 0.5;
    std::string site = "representation";
    base::Fields fields() {
      return {
          {"probability", &probability, base::half_open(0, 1), "that an element is replaced by 0"},
          site_field(site),
      };
    }
  };
  explicit Dropout(const Options& options) : options_(options) {}
  static base::Doc doc() { return {"dropout", "elements withheld at random, also while serving", "He et al. 2019"}; }
  static std::string sites() { return "representation, feature"; }

  Learns learns() const override { return Learns::nothing; }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    if (!covers(options_.site, site)) return exposed;
    const auto draws =
        torch::rand(exposed.sizes(), generator, torch::TensorOptions(torch::kFloat32).device(exposed.device()));
    return exposed * draws.ge(options_.probability);
  }

 private:
  Options options_;
};

const bool kDropoutRegistered = register_defense<Dropout>();

}  // namespace
}  // namespace infoscissors::defense
