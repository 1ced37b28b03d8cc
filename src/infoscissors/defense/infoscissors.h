#pragma once

#include "infoscissors/defense/club_term.h"
#include "infoscissors/defense/defense.h"

#include <cstdint>
#include <optional>
#include <string>

namespace infoscissors::defense {

/// InfoScissors (Duan et al., NeurIPS 2024, sections 3 and 4, algorithm 1): lowers the sampled CLUB bound on I(r; x)
/// and I(v; y) while training,
///
///   min  (1 - l_d - l_l) CE(f_c(v), y) + l_d vCLUB-S(r; x) + l_l vCLUB-S(v; y)
///
/// with q_psi(x | r) a unit-variance Gaussian around a generator's output and q_phi(y | v) the softmax of an auxiliary
/// classifier, both trained all the time to maximise their likelihood. The input term's gradient reaches the head, the
/// prediction term's the encoder and the head; the classifier sees the cross-entropy alone.
class InfoScissors : public Defense {
 public:
  struct Options {
    double input = 0.0;       // l_d
    double prediction = 0.0;  // l_l
    std::string psi = "conv";
    std::int64_t psi_width = 8;
    double psi_sigma = 0.16;
    std::int64_t psi_steps = 2;
    std::string psi_optimizer = "adam";
    double psi_rate = 3e-3;
    std::int64_t phi_layers = 3;
    std::int64_t phi_width = 64;
    std::int64_t phi_steps = 1;
    std::string phi_optimizer = "adam";
    double phi_rate = 3e-3;
    double warmup = 1.0;
    double guard = 0.0;
    bool standardise = true;
    std::string update = "alternating";
    double input_floor = kNoFloor;
    double prediction_floor = kNoFloor;
    std::string push = "linear";
    base::Fields fields();
  };
  static constexpr double kNoFloor = -1e9;  // below any estimate of a finite network

  /// Throws UsageError for weights outside [0, 1) or with a sum of 1 or more.
  explicit InfoScissors(const Options& options);
  static base::Doc doc();
  static std::string sites() { return "representation, feature"; }

  std::vector<std::string> claims() const override;
  void setup(const Context& context) override;
  void update_adversary(const Step& step) override;
  torch::Tensor penalty(const Step& step) override;
  double task_weight(const Step& step) const override;
  void finish_step() override;
  EpochReport end_epoch() override;
  std::map<std::string, std::shared_ptr<torch::nn::Module>> modules() override;
  std::map<std::string, torch::Tensor> state() override;
  void load_state(const std::map<std::string, torch::Tensor>& state) override;

 private:
  double ramp(const Step& step) const;

  Options options_;
  std::optional<ClubTerm> input_, prediction_;
};

}  // namespace infoscissors::defense
