// Every estimator against known information, as CSV: channel, dimension, truth, estimator, seed, value, low, high,
// seconds, flags. benchmarks/mi/run draws docs/mutual-information from it and writes that document's tables.

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/mi/estimator.h"
#include "tests/mi/channels.h"

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

namespace infoscissors {
namespace {

struct Settings {
  std::vector<std::string> channels{"gaussian", "cubic", "symmetric", "mixture"};
  std::vector<std::int64_t> dimensions{1, 5, 20, 100};
  std::vector<double> nats{0, 1, 2, 4, 6, 8, 10};
  std::vector<std::string> estimators;
  std::int64_t pairs = 4000;
  std::int64_t seeds = 3;
  std::string options = "epochs=10,patience=3";
  std::string out;
};

struct Channel {
  std::string name;
  std::int64_t dimension;
  double truth;
  torch::Tensor x, y;
};

// x and y share a hidden sign: (x, y) = sign (a, a) + unit noise each. I by the trapezoid rule on a grid.
double mixture_information(double a) {
  constexpr double kStep = 0.05;
  const auto grid = torch::arange(-a - 7, a + 7, kStep, torch::kFloat64);
  const auto density = [&](double centre) { return torch::exp(-0.5 * (grid - centre).square()) / std::sqrt(2 * M_PI); };
  const auto plus = density(a);
  const auto minus = density(-a);
  const auto marginal = 0.5 * (plus + minus);
  const auto joint = 0.5 * (torch::outer(plus, plus) + torch::outer(minus, minus));
  return (torch::xlogy(joint, joint / torch::outer(marginal, marginal)).sum() * kStep * kStep).item<double>();
}

Channel mixture(std::int64_t n, double a, std::uint64_t seed) {
  auto random = tensor::make_generator(torch::kCPU, seed, "channel");
  const auto sign = 2.0 * torch::randint(2, {n, 1}, random) - 1.0;
  return {"mixture", 1, mixture_information(a), a * sign + torch::randn({n, 1}, random),
          a * sign + torch::randn({n, 1}, random)};
}

std::vector<Channel> channels(const Settings& s, const std::string& name, std::uint64_t seed) {
  std::vector<Channel> list;
  if (name == "gaussian" || name == "cubic") {
    for (const auto d : s.dimensions) {
      for (const auto nats : s.nats) {
        auto c = mi::testing_channels::gaussians(s.pairs, d, nats, seed, name == "cubic");
        list.push_back({name, d, nats, c.x, c.y});
      }
    }
  } else if (name == "symmetric") {
    for (const double e : {0.8, 0.6, 0.4, 0.2, 0.05}) {
      auto c = mi::testing_channels::symmetric_channel(s.pairs, 10, e, seed);
      list.push_back({name, 10, c.information, c.x, c.y});
    }
  } else if (name == "mixture") {
    for (const double a : {0.5, 1.0, 1.5, 2.0, 3.0}) list.push_back(mixture(s.pairs, a, seed));
  } else {
    throw base::UsageError("there is no channel '{}'", name);
  }
  return list;
}

std::string with_options(const std::string& name, const std::string& options) {
  if (name.find('(') != std::string::npos || name == "ksg" || options.empty()) return name;
  return name + "(" + options + ")";
}

std::string row(const Channel& c, const std::string& name, const Settings& s, std::uint64_t seed) {
  const auto pairs = mi::make_pairs(c.x, c.y);
  const auto estimator = mi::make_estimator(with_options(name, s.options));
  const auto begin = std::chrono::steady_clock::now();
  const auto estimate = mi::measure(*estimator, pairs, {.held_out = 0.5, .permutations = 0, .seed = seed});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return fmt::format("{},{},{:.6g},{},{},{:.6g},{:.6g},{:.6g},{:.3f},{}\n", c.name, c.dimension, c.truth,
                     name.substr(0, name.find('(')), seed, estimate.value, estimate.low, estimate.high, seconds,
                     fmt::join(estimate.health.flags(), ";"));
}

void run(Settings s) {
  if (s.estimators.empty()) s.estimators = mi::registry().names();
  std::string csv = "channel,dimension,truth,estimator,seed,value,low,high,seconds,flags\n";
  for (const auto& name : s.channels) {
    for (std::int64_t seed = 0; seed < s.seeds; ++seed) {
      for (const auto& channel : channels(s, name, static_cast<std::uint64_t>(seed))) {
        for (const auto& estimator : s.estimators) {
          if (name == "symmetric" && estimator == "club-unit") continue;  // takes no labels
          csv += row(channel, estimator, s, static_cast<std::uint64_t>(seed));
        }
      }
      std::fprintf(stderr, "%s, seed %ld: done\n", name.c_str(), static_cast<long>(seed));
    }
  }
  if (s.out.empty()) {
    std::fputs(csv.c_str(), stdout);
  } else {
    base::write_file(s.out, csv);
  }
}

}  // namespace
}  // namespace infoscissors

int main(int argc, char** argv) {
  infoscissors::Settings s;
  CLI::App app{"Estimators of mutual information against known truth, as CSV"};
  bool quick = false;
  app.add_flag("--quick", quick, "Two dimensions, three levels, one seed, 1000 pairs");
  app.add_option("--channel", s.channels, "gaussian, cubic, symmetric, mixture");
  app.add_option("--dimension", s.dimensions, "Of the Gaussian channels");
  app.add_option("--nats", s.nats, "Information of the Gaussian channels");
  app.add_option("--estimator", s.estimators, "Default: all")->allow_extra_args(false)->take_all();
  app.add_option("--pairs", s.pairs, "Pairs, half of them held out")->capture_default_str();
  app.add_option("--seeds", s.seeds, "Repetitions")->capture_default_str();
  app.add_option("--options", s.options, "Options of every learning estimator")->capture_default_str();
  app.add_option("--out", s.out, "CSV file; default: standard output");
  CLI11_PARSE(app, argc, argv);
  if (quick) {
    s.dimensions = {1, 5};
    s.nats = {0, 1, 2};
    s.pairs = 1000;
    s.seeds = 1;
    s.options = "epochs=2,hidden=32";
  }
  at::set_num_threads(1);
  try {
    infoscissors::run(s);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
