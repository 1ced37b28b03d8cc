#include "infoscissors/mi/network.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"

#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adam.h>

#include <cmath>

namespace infoscissors::mi {
namespace {

torch::Tensor draw(std::int64_t rows, std::int64_t columns, double deviation, torch::Generator& generator,
                   const torch::Device& device) {
  return (deviation * torch::randn({rows, columns}, generator)).to(device).requires_grad_(true);
}

std::vector<torch::Tensor> copy(const std::vector<torch::Tensor>& parameters) {
  std::vector<torch::Tensor> copies;
  for (const auto& parameter : parameters) copies.push_back(parameter.detach().clone());
  return copies;
}

double evaluate(const std::function<double()>& objective) {
  torch::NoGradGuard no_grad;
  return objective();
}

}  // namespace

base::Fields FitOptions::fields() {
  return {
      {"hidden", &hidden, base::between(1, 4096), "width of the hidden layers"},
      {"layers", &layers, base::between(1, 8), "hidden layers"},
      {"epochs", &epochs, base::between(0, 10000), "most passes over the fitted pairs; 0 keeps the Gaussian solution"},
      {"patience", &patience, base::between(1, 1000), "epochs without improvement before fitting stops"},
      {"batch", &batch, base::between(2, 8192), "pairs in a batch"},
      {"rate", &rate, base::greater_than(0), "learning rate of Adam"},
      {"transform", &transform, base::one_of({"auto", "standard", "scores"}),
       "columns standardised, or mapped to normal scores first; auto: what gives the larger bound on validation pairs"},
  };
}

Perceptron::Perceptron(std::int64_t inputs, std::int64_t outputs, bool zero, const FitOptions& options,
                       torch::Generator& generator, const torch::Device& device) {
  const auto scale = [](std::int64_t width) { return std::sqrt(1.0 / static_cast<double>(width)); };
  parameters_.push_back(draw(inputs, outputs, zero ? 0.0 : scale(inputs), generator, device));
  std::int64_t width = inputs;
  for (std::int64_t layer = 0; layer <= options.layers; ++layer) {
    const bool last = layer == options.layers;
    const auto next = last ? outputs : options.hidden;
    const double deviation = last ? (zero ? 0.0 : scale(width)) : std::sqrt(2.0) * scale(width);
    parameters_.push_back(draw(width, next, deviation, generator, device));
    parameters_.push_back(torch::zeros({next}, torch::TensorOptions(device)).requires_grad_(true));
    width = next;
  }
}

torch::Tensor Perceptron::operator()(const torch::Tensor& input) const {
  auto hidden = input;
  for (std::size_t i = 1; i < parameters_.size(); i += 2) {
    hidden = torch::addmm(parameters_[i + 1], hidden, parameters_[i]);
    if (i + 2 < parameters_.size()) hidden = torch::relu(hidden);
  }
  return input.matmul(parameters_[0]) + hidden;
}

FitReport fit_parameters(std::vector<torch::Tensor> parameters, std::int64_t count,
                         const std::function<torch::Tensor(const torch::Tensor& batch)>& loss,
                         const std::function<double()>& objective, const FitOptions& options,
                         torch::Generator& generator) {
  FitReport report;
  report.objective = evaluate(objective);
  auto best = copy(parameters);
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(options.rate));
  const auto device = parameters.front().device();
  while (report.epochs < options.epochs && report.epochs - report.best < options.patience) {
    const auto order = torch::randperm(count, generator, torch::TensorOptions(torch::kInt64)).to(device);
    // The last, smaller batch is skipped: contrastive losses mean something else at another size. Each epoch has its
    // own.
    for (std::int64_t begin = 0; begin == 0 || begin + options.batch <= count; begin += options.batch) {
      if (base::interrupt_requested()) throw base::Interrupted("interrupted while fitting an information estimator");
      optimizer.zero_grad();
      loss(order.slice(0, begin, std::min(begin + options.batch, count))).backward();
      torch::nn::utils::clip_grad_norm_(parameters, 5.0);
      optimizer.step();
    }
    ++report.epochs;
    const double value = evaluate(objective);
    if (!std::isfinite(value)) break;
    if (value > report.objective || !std::isfinite(report.objective)) {
      report.objective = value;
      report.best = report.epochs;
      best = copy(parameters);
    }
  }
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].copy_(best[i]);
  report.converged = report.epochs == 0 || report.best < report.epochs;
  return report;
}

}  // namespace infoscissors::mi
