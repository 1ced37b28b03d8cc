#pragma once

#include "infoscissors/base/options.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace infoscissors::mi {

/// How the learned part of an estimator is fitted. A part of the fitted pairs (kValidationShare) is never trained on:
/// the parameters with the best objective there are kept, the starting point (the Gaussian solution) included.
struct FitOptions {
  std::int64_t hidden = 128;
  std::int64_t layers = 2;
  std::int64_t epochs = 40;
  std::int64_t patience = 4;
  std::int64_t batch = 256;
  double rate = 1e-3;
  std::string transform = "auto";

  base::Fields fields();
};

constexpr double kValidationShare = 0.2;

/// A perceptron with a linear bypass: bypass(x) + mlp(x), (N, inputs) -> (N, outputs). With `zero` its output starts at
/// zero, so that what it is added to is the starting point. Its weights come from the generator alone.
class Perceptron {
 public:
  Perceptron() = default;
  Perceptron(std::int64_t inputs, std::int64_t outputs, bool zero, const FitOptions& options,
             torch::Generator& generator, const torch::Device& device);
  torch::Tensor operator()(const torch::Tensor& input) const;
  const std::vector<torch::Tensor>& parameters() const { return parameters_; }

 private:
  std::vector<torch::Tensor> parameters_;  // bypass, then weight and bias of each layer
};

struct FitReport {
  std::int64_t epochs = 0;  // run
  std::int64_t best = 0;    // epoch whose parameters were kept; 0: the starting point
  double objective = 0;     // on the validation pairs, nats
  bool converged = true;    // false where the last epoch was the best
};

/// Adam on minibatches of `count` pairs with early stopping. `loss` takes the indices of a batch, `objective` (larger
/// is better) is evaluated after each epoch without gradients. Throws Interrupted when the person asked to stop.
FitReport fit_parameters(std::vector<torch::Tensor> parameters, std::int64_t count,
                         const std::function<torch::Tensor(const torch::Tensor& batch)>& loss,
                         const std::function<double()>& objective, const FitOptions& options,
                         torch::Generator& generator);

}  // namespace infoscissors::mi
