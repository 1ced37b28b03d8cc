#pragma once

#include "infoscissors/tensor/torch.h"

#include <map>
#include <string>
#include <vector>

namespace infoscissors::nn {

enum class Rule { sgd, adam };

struct OptimizerOptions {
  Rule rule = Rule::sgd;
  double momentum = 0.9;      // sgd
  double weight_decay = 0.0;  // added to the gradient, as in libtorch
};

/// Throws UsageError for anything but "sgd" and "adam".
Rule parse_rule(const std::string& text);

/// SGD with momentum or Adam (Kingma and Ba 2015) on one flat buffer: parameters, gradients and moments are each one
/// tensor of which the network's parameters become views, so that a step is a handful of operations however many
/// layers there are. The arithmetic is libtorch's own.
class Optimizer {
 public:
  /// Takes the parameters over: their storage moves into the flat buffer. All must be float32 on one device.
  Optimizer(std::vector<torch::Tensor> parameters, const OptimizerOptions& options);

  void zero_grad();
  /// One step with learning rate `rate` from the gradients that backward() accumulated.
  void step(double rate);
  /// Takes `gradients` (one a parameter, undefined: zero) in place of accumulated ones.
  void set_gradients(const std::vector<torch::Tensor>& gradients);
  /// Scales the gradient so that its Euclidean norm is at most `limit`.
  void clip_gradient(double limit);

  const std::vector<torch::Tensor>& parameters() const { return parameters_; }

  /// Moments and the step count, for a checkpoint.
  std::map<std::string, torch::Tensor> state() const;
  /// Throws base::Error where a tensor is missing or of another size.
  void load_state(const std::map<std::string, torch::Tensor>& state);

 private:
  OptimizerOptions options_;
  std::vector<torch::Tensor> parameters_;
  torch::Tensor values_, gradients_, first_, second_;
  std::int64_t steps_ = 0;
};

}  // namespace infoscissors::nn
