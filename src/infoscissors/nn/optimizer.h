#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
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

  /// Scales each coordinate of some parameters' updates, `count` of them from the `first`, by factor(now, before): the
  /// momentum buffers (Adam's first moments) of these parameters after this step and after the step before, flat. The
  /// buffers themselves stay unscaled, and the first step has nothing before it and is as it would be. Keeps no state:
  /// a training that goes on from a checkpoint does as if it had not stopped.
  using Factor = std::function<torch::Tensor(const torch::Tensor& now, const torch::Tensor& before)>;
  void scale_updates(std::size_t first, std::size_t count, Factor factor);

  const std::vector<torch::Tensor>& parameters() const { return parameters_; }
  /// All gradients as one flat tensor, which shares their memory.
  const torch::Tensor& gradients() const { return gradients_; }

  /// Moments and the step count, for a checkpoint.
  std::map<std::string, torch::Tensor> state() const;
  /// Throws base::Error where a tensor is missing or of another size.
  void load_state(const std::map<std::string, torch::Tensor>& state);

 private:
  void step_at_once(double rate);  // in one pass over memory
  torch::Tensor scaled_part(const torch::Tensor& flat) const;
  torch::Tensor update(const torch::Tensor& before) const;

  OptimizerOptions options_;
  std::vector<torch::Tensor> parameters_;
  torch::Tensor values_, gradients_, first_, second_;
  std::int64_t steps_ = 0;
  Factor factor_;
  std::int64_t scaled_begin_ = 0, scaled_end_ = 0;  // in the flat buffer
};

}  // namespace infoscissors::nn
