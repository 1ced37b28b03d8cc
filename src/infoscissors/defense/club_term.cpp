#include "infoscissors/defense/club_term.h"

#include "infoscissors/defense/state.h"
#include "infoscissors/mi/club.h"

namespace infoscissors::defense {

ClubTerm::ClubTerm(std::string name, nn::LayerPtr network, LogLikelihood log_likelihood,
                   const AdversaryOptions& options, const Pressure& pressure, const tensor::Runtime& runtime)
    : name_(std::move(name)),
      network_(std::move(network)),
      log_likelihood_(std::move(log_likelihood)),
      options_(options),
      pressure_(pressure),
      runtime_(runtime),
      optimizer_((network_->to(runtime.device), network_->parameters()), {.rule = options.rule}),
      sums_(torch::zeros({4}, torch::TensorOptions(torch::kFloat64).device(runtime.device))) {}

torch::Tensor ClubTerm::run(const torch::Tensor& exposed) {
  const tensor::Autocast autocast(runtime_);
  return network_->forward(exposed).to(torch::kFloat32);
}

void ClubTerm::update(const torch::Tensor& exposed, const torch::Tensor& secret) {
  const auto seen = exposed.detach();
  const std::int64_t ahead = options_.simultaneous ? options_.steps - 1 : options_.steps;
  for (std::int64_t i = 0; i < ahead; ++i) {
    optimizer_.zero_grad();
    (-log_likelihood_(run(seen), secret).mean()).backward();
    optimizer_.step(options_.rate);
  }
}

torch::Tensor ClubTerm::estimate(const torch::Tensor& exposed, const torch::Tensor& secret,
                                 torch::Generator generator) {
  const auto output = run(exposed);
  const auto other = secret.index_select(0, mi::random_targets(secret.size(0), generator));
  const auto positive = log_likelihood_(output, secret);
  const auto negative = log_likelihood_(output, other);
  if (options_.simultaneous) {
    pending_ = torch::autograd::grad({-positive.mean()}, optimizer_.parameters(), {}, /*retain_graph=*/true);
  }
  const auto value = mi::vclub_sampled(positive, negative);
  sums_ += torch::stack({value.detach(), positive.detach().mean(), negative.detach().mean(), torch::ones_like(value)});
  return value;
}

torch::Tensor ClubTerm::penalty(const torch::Tensor& exposed, const torch::Tensor& secret, const torch::Tensor& active,
                                torch::Generator generator) {
  const auto value = estimate(exposed, secret, generator);
  if (!pressure_.floor) return active * value;
  if (!pressure_.squared) return active * value.clamp_min(*pressure_.floor);
  return active * (value - *pressure_.floor).clamp_min(0).square() / 2;
}

void ClubTerm::finish() {
  if (pending_.empty()) return;
  optimizer_.set_gradients(pending_);
  optimizer_.step(options_.rate);
  pending_.clear();
}

Defense::EpochReport ClubTerm::end_epoch() {
  const auto sums = sums_.to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
  sums_.zero_();
  const double steps = sums[3].item<double>();
  if (steps == 0) return {};
  const auto mean = [&](std::int64_t i) { return sums[i].item<double>() / steps; };
  const auto health = mi::training_health(mean(0), mean(1), mean(2), pressure_.ceiling);
  return {.values = {{"information_" + name_, mean(0)}, {"log_likelihood_" + name_, mean(1)}},
          .warnings = health.warnings("information_" + name_)};
}

std::map<std::string, torch::Tensor> ClubTerm::state() const {
  auto state = optimizer_.state();
  state["sums"] = sums_;
  return state;
}

void ClubTerm::load_state(const std::map<std::string, torch::Tensor>& state) {
  load_into({{"sums", sums_}}, state, fmt::format("the {} adversary", name_));
  optimizer_.load_state(state);
}

}  // namespace infoscissors::defense
