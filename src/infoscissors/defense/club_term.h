#pragma once

#include "infoscissors/defense/defense.h"
#include "infoscissors/mi/health.h"
#include "infoscissors/nn/layer.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace infoscissors::defense {

/// How an adversary is trained beside the main network.
struct AdversaryOptions {
  nn::Rule rule = nn::Rule::adam;
  double rate = 1e-3;
  std::int64_t steps = 1;     // updates for each step of the main network
  bool simultaneous = false;  // the last of them from the same forward pass as the penalty, applied after it
};

/// When a term pushes, and how hard.
struct Pressure {
  std::optional<double> floor;                               // nats below which the term stops pushing
  double ceiling = std::numeric_limits<double>::infinity();  // nats that the information cannot exceed
  bool squared = false;                                      // (estimate - floor)^2 / 2 above the floor; needs one
};

/// One vCLUB-S term (Duan et al. 2024, equations 5 and 8): a variational network q, kept up to date by maximising its
/// log-likelihood on true pairs, and the sampled bound on the information between what is exposed and what is secret.
class ClubTerm {
 public:
  /// (output of the network, secret) -> log q(secret | exposed), (B), nats.
  using LogLikelihood = std::function<torch::Tensor(const torch::Tensor& output, const torch::Tensor& secret)>;

  ClubTerm(std::string name, nn::LayerPtr network, LogLikelihood log_likelihood, const AdversaryOptions& options,
           const Pressure& pressure, const tensor::Runtime& runtime);

  /// Ascends the log-likelihood on (exposed, secret), both detached.
  void update(const torch::Tensor& exposed, const torch::Tensor& secret);

  /// mean[log q(secret_i | exposed_i) - log q(secret_k | exposed_i)], clamped at the floor or squared above it;
  /// differentiable in `exposed`. `active`: a scalar 1 or 0; at 0 the step does not push.
  torch::Tensor penalty(const torch::Tensor& exposed, const torch::Tensor& secret, const torch::Tensor& active,
                        torch::Generator generator);

  /// Applies a simultaneous update.
  void finish();

  /// The epoch's mean estimate and log-likelihood under "information_NAME" and "log_likelihood_NAME".
  Defense::EpochReport end_epoch();

  const nn::LayerPtr& network() const { return network_; }
  std::map<std::string, torch::Tensor> state() const;
  void load_state(const std::map<std::string, torch::Tensor>& state);

 private:
  torch::Tensor run(const torch::Tensor& exposed);
  torch::Tensor estimate(const torch::Tensor& exposed, const torch::Tensor& secret, torch::Generator generator);

  std::string name_;
  nn::LayerPtr network_;
  LogLikelihood log_likelihood_;
  AdversaryOptions options_;
  Pressure pressure_;
  tensor::Runtime runtime_;
  nn::Optimizer optimizer_;
  std::vector<torch::Tensor> pending_;  // gradients of a simultaneous update
  torch::Tensor sums_;                  // over the epoch: estimate, log q of true pairs, of random pairs, steps
};

}  // namespace infoscissors::defense
