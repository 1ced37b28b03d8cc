#include "infoscissors/nn/optimizer.h"

#include "infoscissors/base/error.h"
#include "infoscissors/nn/optimizer_kernel.h"

#include <cmath>
#include <utility>

namespace infoscissors::nn {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;  // Adam's customary constants

}  // namespace

Rule parse_rule(const std::string& text) {
  if (text == "sgd") return Rule::sgd;
  if (text == "adam") return Rule::adam;
  throw base::UsageError("the optimiser must be sgd or adam, got '{}'", text);
}

Optimizer::Optimizer(std::vector<torch::Tensor> parameters, const OptimizerOptions& options)
    : options_(options), parameters_(std::move(parameters)) {
  const torch::NoGradGuard no_grad;
  std::int64_t total = 0;
  for (const auto& parameter : parameters_) total += parameter.numel();
  const auto device = parameters_.empty() ? torch::Device(torch::kCPU) : parameters_.front().device();
  const auto buffer = [&] { return torch::zeros({total}, torch::TensorOptions(torch::kFloat32).device(device)); };
  values_ = buffer();
  gradients_ = buffer();
  first_ = buffer();
  if (options_.rule == Rule::adam) second_ = buffer();
  std::int64_t offset = 0;
  for (auto& parameter : parameters_) {
    // The strides are kept, so that channels-last weights stay channels-last.
    const auto place = [&](const torch::Tensor& flat) {
      return flat.as_strided(parameter.sizes(), parameter.strides(), offset);
    };
    auto value = place(values_);
    value.copy_(parameter);
    const auto gradient = place(gradients_);
    parameter.set_data(value);
    parameter.mutable_grad() = gradient;
    offset += parameter.numel();
  }
}

void Optimizer::zero_grad() {
  gradients_.zero_();
}

void Optimizer::step(double rate) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  if (!factor_ && values_.is_cpu()) return step_at_once(rate);
  const auto before = factor_ && steps_ > 1 ? scaled_part(first_).clone() : torch::Tensor();
  if (options_.weight_decay != 0) gradients_.add_(values_, options_.weight_decay);
  if (options_.rule == Rule::sgd) {
    // libtorch starts the buffer with the first gradient; from zeros that is the same.
    first_.mul_(options_.momentum).add_(gradients_);
    values_.add_(update(before), -rate);
    return;
  }
  first_.mul_(kBeta1).add_(gradients_, 1 - kBeta1);
  second_.mul_(kBeta2).addcmul_(gradients_, gradients_, 1 - kBeta2);
  const double correction1 = 1 - std::pow(kBeta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(kBeta2, static_cast<double>(steps_));
  const auto denominator = (second_.sqrt() / std::sqrt(correction2)).add_(kEpsilon);
  values_.addcdiv_(update(before), denominator, -rate / correction1);
}

void Optimizer::step_at_once(double rate) {
  if (options_.rule == Rule::sgd) {
    kernel::sgd(values_, gradients_, first_, options_.momentum, options_.weight_decay, rate);
    return;
  }
  kernel::adam(values_, gradients_, first_, second_,
               {.beta1 = kBeta1,
                .beta2 = kBeta2,
                .epsilon = kEpsilon,
                .decay = options_.weight_decay,
                .correction1 = 1 - std::pow(kBeta1, static_cast<double>(steps_)),
                .correction2 = 1 - std::pow(kBeta2, static_cast<double>(steps_)),
                .rate = rate});
}

void Optimizer::scale_updates(std::size_t first, std::size_t count, Factor factor) {
  const auto elements_before = [&](std::size_t end) {
    std::int64_t total = 0;
    for (std::size_t i = 0; i < end; ++i) total += parameters_.at(i).numel();
    return total;
  };
  scaled_begin_ = elements_before(first);
  scaled_end_ = elements_before(first + count);
  factor_ = std::move(factor);
}

torch::Tensor Optimizer::scaled_part(const torch::Tensor& flat) const {
  return flat.slice(0, scaled_begin_, scaled_end_);
}

torch::Tensor Optimizer::update(const torch::Tensor& before) const {
  if (!before.defined()) return first_;
  auto update = first_.clone();
  scaled_part(update).mul_(factor_(scaled_part(first_), before));
  return update;
}

void Optimizer::set_gradients(const std::vector<torch::Tensor>& gradients) {
  const torch::NoGradGuard no_grad;
  zero_grad();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (gradients.at(i).defined()) parameters_[i].mutable_grad().copy_(gradients[i]);
  }
}

void Optimizer::clip_gradient(double limit) {
  const torch::NoGradGuard no_grad;
  const auto norm = gradients_.norm();
  gradients_.mul_((limit / (norm + 1e-6)).clamp_max(1.0));
}

std::map<std::string, torch::Tensor> Optimizer::state() const {
  std::map<std::string, torch::Tensor> state = {{"first", first_}, {"steps", torch::tensor(steps_)}};
  if (second_.defined()) state["second"] = second_;
  return state;
}

void Optimizer::load_state(const std::map<std::string, torch::Tensor>& state) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, own] : this->state()) {
    const auto found = state.find(name);
    if (found == state.end()) throw base::Error("the optimiser's state lacks '{}'", name);
    if (found->second.sizes() != own.sizes()) throw base::Error("the optimiser's state '{}' has another size", name);
    if (name != "steps") own.copy_(found->second);
  }
  steps_ = state.at("steps").item<std::int64_t>();
}

}  // namespace infoscissors::nn
