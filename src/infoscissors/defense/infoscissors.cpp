#include "infoscissors/defense/infoscissors.h"

#include "infoscissors/base/error.h"
#include "infoscissors/mi/club.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::defense {
namespace {

const bool kInfoScissorsRegistered = register_defense<InfoScissors>();

/// log q_psi(x | r) of a Gaussian with standard deviation sigma, averaged over the elements of x.
ClubTerm::LogLikelihood log_psi(double sigma) {
  return [precision = 1.0 / (sigma * sigma)](const torch::Tensor& output, const torch::Tensor& image) {
    return precision * mi::gaussian_log_likelihood(image, output);
  };
}

torch::Tensor log_phi(const torch::Tensor& output, const torch::Tensor& label) {
  return mi::categorical_log_likelihood(output, label);
}

AdversaryOptions adversary(const std::string& rule, double rate, std::int64_t steps, const std::string& update) {
  return {.rule = nn::parse_rule(rule), .rate = rate, .steps = steps, .simultaneous = update == "simultaneous"};
}

Pressure pressure(double floor, double ceiling, const std::string& push) {
  return {.floor = floor > InfoScissors::kNoFloor ? std::optional(floor) : std::nullopt,
          .ceiling = ceiling,
          .squared = push == "squared"};
}

}  // namespace

base::Doc InfoScissors::doc() {
  return {"infoscissors", "lowers variational upper bounds on I(r; x) and I(v; y) in training",
          "Duan et al., NeurIPS 2024 (arXiv 2306.07973)"};
}

base::Fields InfoScissors::Options::fields() {
  using namespace base;
  const auto rules = one_of({"sgd", "adam"});
  return {
      {"input", &input, half_open(0, 1), "weight l_d of the input term, vCLUB-S(r; x)"},
      {"prediction", &prediction, half_open(0, 1), "weight l_l of the prediction term, vCLUB-S(v; y)"},
      {"psi", &psi, one_of(nn::decoder_families()), "family of the generator psi"},
      {"psi_width", &psi_width, between(1, 4096), "hidden channels of psi"},
      {"psi_sigma", &psi_sigma, greater_than(0),
       "standard deviation of the Gaussian q_psi in pixel units ([0, 1]); 1 is the paper's identity covariance"},
      {"psi_steps", &psi_steps, between(1, 100), "updates of psi for each main step"},
      {"psi_optimizer", &psi_optimizer, rules, "optimiser of psi"},
      {"psi_rate", &psi_rate, greater_than(0), "learning rate of psi"},
      {"phi_layers", &phi_layers, between(1, 8), "linear layers of the auxiliary classifier phi"},
      {"phi_width", &phi_width, between(1, 65536), "hidden width of phi"},
      {"phi_steps", &phi_steps, between(1, 100), "updates of phi for each main step"},
      {"phi_optimizer", &phi_optimizer, rules, "optimiser of phi"},
      {"phi_rate", &phi_rate, greater_than(0), "learning rate of phi"},
      {"warmup", &warmup, at_least(0), "epochs over which both weights rise from 0"},
      {"guard", &guard, at_least(0),
       "nats; steps whose cross-entropy is above push neither term, so that training cannot collapse; 0: off"},
      {"standardise", &standardise, any(), "the adversaries see what is exposed standardised per channel"},
      {"update", &update, one_of({"alternating", "simultaneous"}),
       "adversaries before the penalty, or the last update from the penalty's own forward pass"},
      {"input_floor", &input_floor, any(), "nats per element below which the input term stops pushing"},
      {"prediction_floor", &prediction_floor, any(), "nats below which the prediction term stops pushing"},
      {"push", &push, one_of({"linear", "squared"}),
       "how a term with a floor grows above it: linear, or (estimate - floor)^2 / 2, which fades towards the floor"},
  };
}

InfoScissors::InfoScissors(const Options& options) : options_(options) {
  const bool no_floor = options.input_floor <= kNoFloor && options.prediction_floor <= kNoFloor;
  if (options.push == "squared" && no_floor) {
    throw base::UsageError("[infoscissors] push=squared needs input_floor or prediction_floor, above which it grows");
  }
  if (options.input + options.prediction >= 1.0) {
    throw base::UsageError("[infoscissors] input + prediction must be below 1, got {:g} + {:g}", options.input,
                           options.prediction);
  }
}

std::vector<std::string> InfoScissors::claims() const {
  std::vector<std::string> claims;
  if (options_.input > 0) claims.emplace_back("the information term on the input");
  if (options_.prediction > 0) claims.emplace_back("the information term on the prediction");
  return claims;
}

void InfoScissors::setup(const Context& context) {
  const auto adversary_network = [&](const nn::Shape& input, const nn::LayerPtr& network, const char* stream) {
    auto layers = std::make_shared<nn::Sequence>();
    if (options_.standardise) layers->append("standardise", nn::make_standardiser(input));
    layers->append("network", network);
    nn::initialise(*layers, tensor::make_generator(torch::kCPU, context.seed, stream));
    return layers;
  };
  if (options_.input > 0) {
    const auto network = nn::make_decoder(options_.psi, context.representation, context.image, options_.psi_width);
    input_.emplace("input", adversary_network(context.representation, network, "psi"), log_psi(options_.psi_sigma),
                   adversary(options_.psi_optimizer, options_.psi_rate, options_.psi_steps, options_.update),
                   pressure(options_.input_floor, std::numeric_limits<double>::infinity(), options_.push),
                   context.runtime);
  }
  if (options_.prediction > 0) {
    const auto network =
        nn::make_mlp(nn::element_count(context.feature), options_.phi_width, context.classes, options_.phi_layers);
    prediction_.emplace(
        "prediction", adversary_network(context.feature, network, "phi"), log_phi,
        adversary(options_.phi_optimizer, options_.phi_rate, options_.phi_steps, options_.update),
        pressure(options_.prediction_floor, std::log(static_cast<double>(context.classes)), options_.push),
        context.runtime);
  }
}

double InfoScissors::ramp(const Step& step) const {
  return options_.warmup > 0 ? std::min(1.0, step.epoch / options_.warmup) : 1.0;
}

void InfoScissors::update_adversary(const Step& step) {
  if (input_) input_->update(step.representation, step.images);
  if (prediction_) prediction_->update(step.feature, step.labels);
}

torch::Tensor InfoScissors::penalty(const Step& step) {
  // A mask and not a branch: the value stays on the device.
  const auto cross_entropy = step.cross_entropy.detach();
  const auto active = options_.guard > 0 ? cross_entropy.le(options_.guard) : torch::ones_like(cross_entropy);
  torch::Tensor sum;
  const auto add = [&](double weight, const torch::Tensor& value) {
    const auto part = weight * ramp(step) * value;
    sum = sum.defined() ? sum + part : part;
  };
  if (input_) add(options_.input, input_->penalty(step.representation, step.images, active, step.generator));
  if (prediction_) add(options_.prediction, prediction_->penalty(step.feature, step.labels, active, step.generator));
  return sum;
}

double InfoScissors::task_weight(const Step& step) const {
  return 1.0 - (options_.input + options_.prediction) * ramp(step);
}

void InfoScissors::finish_step() {
  if (input_) input_->finish();
  if (prediction_) prediction_->finish();
}

Defense::EpochReport InfoScissors::end_epoch() {
  EpochReport report;
  for (auto* term : {&input_, &prediction_}) {
    if (!*term) continue;
    auto part = (*term)->end_epoch();
    report.values.merge(part.values);
    report.warnings.insert(report.warnings.end(), part.warnings.begin(), part.warnings.end());
  }
  return report;
}

std::map<std::string, std::shared_ptr<torch::nn::Module>> InfoScissors::modules() {
  std::map<std::string, std::shared_ptr<torch::nn::Module>> modules;
  if (input_) modules["psi"] = input_->network();
  if (prediction_) modules["phi"] = prediction_->network();
  return modules;
}

std::map<std::string, torch::Tensor> InfoScissors::state() {
  std::map<std::string, torch::Tensor> state;
  const auto add = [&](const std::string& prefix, const std::optional<ClubTerm>& term) {
    if (!term) return;
    for (const auto& [name, tensor] : term->state()) state[prefix + name] = tensor;
  };
  add("psi.", input_);
  add("phi.", prediction_);
  return state;
}

void InfoScissors::load_state(const std::map<std::string, torch::Tensor>& state) {
  const auto load = [&](const std::string& prefix, std::optional<ClubTerm>& term) {
    if (!term) return;
    std::map<std::string, torch::Tensor> own;
    for (const auto& [name, tensor] : state) {
      if (name.starts_with(prefix)) own[name.substr(prefix.size())] = tensor;
    }
    term->load_state(own);
  };
  load("psi.", input_);
  load("phi.", prediction_);
}

}  // namespace infoscissors::defense
