#include "infoscissors/attack/search.h"

#include "infoscissors/attack/fit.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/progress.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace infoscissors::attack {
namespace {

// An objective (in units of the variance of r) below which nothing is left to fit.
constexpr double kFitted = 1e-8;
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

using Tensors = std::vector<torch::Tensor>;

/// AMSGrad on tensors whose first dimension can shrink on the way.
class Amsgrad {
 public:
  explicit Amsgrad(const Tensors& parameters) {
    for (const auto& parameter : parameters) {
      for (auto* list : {&first_, &second_, &highest_}) list->push_back(torch::zeros_like(parameter));
    }
  }

  void step(const Tensors& parameters, const Tensors& gradients, double rate) {
    ++steps_;
    const double correction1 = 1 - std::pow(kBeta1, static_cast<double>(steps_));
    const double correction2 = 1 - std::pow(kBeta2, static_cast<double>(steps_));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      first_[i].mul_(kBeta1).add_(gradients[i], 1 - kBeta1);
      second_[i].mul_(kBeta2).addcmul_(gradients[i], gradients[i], 1 - kBeta2);
      highest_[i] = torch::maximum(highest_[i], second_[i]);
      const auto denominator = (highest_[i].sqrt() / std::sqrt(correction2)).add_(kEpsilon);
      parameters[i].addcdiv_(first_[i], denominator, -rate / correction1);
    }
  }

  void keep(const torch::Tensor& index) {
    for (auto* list : {&first_, &second_, &highest_}) {
      for (auto& tensor : *list) tensor = tensor.index_select(0, index);
    }
  }

 private:
  Tensors first_, second_, highest_;
  std::int64_t steps_ = 0;
};

class Search {
 public:
  Search(const std::string& attack, const Parametrisation& parametrisation, const Objective& objective,
         std::int64_t count, const SearchOptions& options)
      : attack_(attack),
        parametrisation_(parametrisation),
        objective_(objective),
        count_(count),
        options_(options),
        parameters_(draw_all()),
        optimizer_(parameters_) {
    for (std::int64_t start = 0; start < options_.starts; ++start) {
      for (std::int64_t image = 0; image < count_; ++image) candidates_.push_back({image, start});
    }
    index_owners();
  }

  Found run() {
    base::Progress progress(attack_, options_.steps);
    while (steps_ < options_.steps) {
      stop_if_interrupted(attack_);
      step();
      progress.update(++steps_);
      if (options_.tolerance > 0 && steps_ % options_.window == 0 && close_window()) break;
    }
    return pick();
  }

 private:
  struct Candidate {
    std::int64_t image, start;
    std::optional<double> before = {};  // the sum of its objective over the last window
  };

  Tensors draw_all() const {
    std::vector<Tensors> starts;
    for (std::int64_t start = 0; start < options_.starts; ++start)
      starts.push_back(parametrisation_.draw(start, count_));
    Tensors all;
    for (std::size_t i = 0; i < starts.front().size(); ++i) {
      Tensors column;
      for (const auto& start : starts) column.push_back(start[i]);
      all.push_back(torch::cat(column).requires_grad_(true));
    }
    return all;
  }

  void index_owners() {
    std::vector<std::int64_t> owners;
    for (const auto& candidate : candidates_) owners.push_back(candidate.image);
    owner_ = torch::tensor(owners, torch::kInt64).to(parameters_.front().device());
  }

  void step() {
    const auto objective = objective_(parametrisation_.images(parameters_), owner_);
    if (!objective.requires_grad())
      throw base::UsageError("[{}] the defence has no gradient: set release to false", attack_);
    // The sum gives each candidate the gradient that it would have alone.
    const auto gradients = torch::autograd::grad({objective.sum()}, parameters_);
    const torch::NoGradGuard no_grad;
    optimizer_.step(parameters_, gradients, options_.rate);
    if (parametrisation_.project) parametrisation_.project(parameters_);
    sum_ = sum_.defined() ? sum_ + objective.detach() : objective.detach();
  }

  // For each image its lowest entry of `values` (one a candidate); a value that is not finite never is.
  std::vector<std::size_t> lowest(const std::vector<double>& values) const {
    std::vector<std::size_t> best(static_cast<std::size_t>(count_), candidates_.size());
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      auto& at = best[static_cast<std::size_t>(candidates_[c].image)];
      if (at == candidates_.size() || values[c] < values[at]) at = c;
    }
    return best;
  }

  static std::vector<double> to_vector(const torch::Tensor& values) {
    const auto list = values.to(torch::kCPU, torch::kFloat64).contiguous();
    std::vector<double> result(list.data_ptr<double>(), list.data_ptr<double>() + list.numel());
    for (auto& value : result) {
      if (!std::isfinite(value)) value = std::numeric_limits<double>::infinity();
    }
    return result;
  }

  // Sums over windows, for single values jitter with the step size and with a defence's draws. True once every image is
  // left with its best candidate alone, and that one has nothing left to fit or no longer moves: the slowest image
  // decides, so that none is cut short by its company.
  bool close_window() {
    const auto sums = to_vector(std::exchange(sum_, torch::Tensor()));
    const auto best = lowest(sums);
    const double fitted = kFitted * static_cast<double>(options_.window);
    std::vector<std::int64_t> kept;
    bool settled = true;
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      auto& candidate = candidates_[c];
      const auto leader = best[static_cast<std::size_t>(candidate.image)];
      const bool flat = candidate.before && sums[c] >= *candidate.before * (1 - options_.tolerance);
      candidate.before = sums[c];
      if (c != leader && (flat || sums[leader] < fitted)) continue;
      kept.push_back(static_cast<std::int64_t>(c));
      settled = settled && c == leader && (flat || sums[c] < fitted);
    }
    if (kept.size() < candidates_.size()) keep(kept);
    return settled;
  }

  void keep(const std::vector<std::int64_t>& kept) {
    const torch::NoGradGuard no_grad;
    const auto index = torch::tensor(kept, torch::kInt64).to(owner_.device());
    for (auto& parameter : parameters_) parameter = parameter.detach().index_select(0, index).requires_grad_(true);
    optimizer_.keep(index);
    std::vector<Candidate> left;
    for (const auto c : kept) left.push_back(candidates_[static_cast<std::size_t>(c)]);
    candidates_ = std::move(left);
    index_owners();
  }

  Found pick() const {
    const torch::NoGradGuard no_grad;
    const auto images = parametrisation_.images(parameters_).detach();
    auto objective = objective_(images, owner_);
    for (std::int64_t i = 1; i < options_.judged; ++i) objective = objective + objective_(images, owner_);
    objective = objective / static_cast<double>(options_.judged);
    std::vector<std::int64_t> chosen, starts;
    for (const auto c : lowest(to_vector(objective))) {
      chosen.push_back(static_cast<std::int64_t>(c));
      starts.push_back(candidates_[c].start);
    }
    const auto index = torch::tensor(chosen, torch::kInt64).to(owner_.device());
    return {images.index_select(0, index), objective.index_select(0, index), torch::tensor(starts, torch::kInt64),
            steps_};
  }

  const std::string& attack_;
  const Parametrisation& parametrisation_;
  const Objective& objective_;
  std::int64_t count_;
  SearchOptions options_;
  Tensors parameters_;
  Amsgrad optimizer_;
  std::vector<Candidate> candidates_;
  torch::Tensor owner_;  // (M) int64: the image of each candidate
  torch::Tensor sum_;    // (M): objectives since the window began
  std::int64_t steps_ = 0;
};

}  // namespace

Found search(const std::string& attack, const Parametrisation& parametrisation, const Objective& objective,
             std::int64_t count, const SearchOptions& options) {
  return Search(attack, parametrisation, objective, count, options).run();
}

Parametrisation pixels(const std::vector<std::int64_t>& shape, const torch::Device& device,
                       torch::Generator generator) {
  const auto draw = [shape, device, generator](std::int64_t start, std::int64_t count) {
    auto sizes = shape;
    sizes.insert(sizes.begin(), count);
    if (start == 0) return Tensors{torch::full(sizes, 0.5, torch::TensorOptions(torch::kFloat32).device(device))};
    if (start % 2 == 1) return Tensors{torch::rand(sizes, generator).to(device)};
    auto colour = sizes;
    std::fill(colour.begin() + 2, colour.end(), 1);
    return Tensors{torch::rand(colour, generator).expand(sizes).contiguous().to(device)};
  };
  return {draw, [](const Tensors& parameters) { return parameters.front(); },
          [](const Tensors& parameters) { parameters.front().clamp_(0, 1); }};
}

}  // namespace infoscissors::attack
