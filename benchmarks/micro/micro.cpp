// The hot paths of a training step by themselves, one thread. Each has, where there is one, what libtorch's own
// operations take for the same beside it.

#include "infoscissors/data/batches.h"
#include "infoscissors/defense/infoscissors.h"
#include "infoscissors/nn/fused_norm.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

#include <benchmark/benchmark.h>

namespace infoscissors {
namespace {

torch::Tensor images(std::int64_t channels, std::int64_t side, torch::ScalarType type) {
  return torch::randn({32, channels, side, side}).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
}

/// Normalisation, addition and ReLU, forward and backward.
void norm(benchmark::State& state, bool fused, torch::ScalarType type) {
  const auto channels = state.range(0), side = state.range(1);
  const auto x = images(channels, side, type).requires_grad_(true), residual = images(channels, side, type);
  const auto weight = torch::ones({channels}).requires_grad_(true),
             bias = torch::zeros({channels}).requires_grad_(true);
  const auto mean = torch::zeros({channels}), variance = torch::ones({channels});
  const auto dy = images(channels, side, type);
  for (auto _ : state) {
    const auto y =
        fused ? nn::fused_norm(x, {weight, bias, mean, variance, 0.1, 1e-5}, residual, true)
              : torch::relu(at::batch_norm(x, weight, bias, mean, variance, true, 0.1, 1e-5, false) + residual);
    benchmark::DoNotOptimize(torch::autograd::grad({y}, {x, weight, bias}, {dy}));
  }
  state.SetBytesProcessed(state.iterations() * x.numel() * static_cast<std::int64_t>(x.element_size()));
}
BENCHMARK_CAPTURE(norm, fused_fp32, true, torch::kFloat32)->Args({64, 32})->Args({8, 28});
BENCHMARK_CAPTURE(norm, libtorch_fp32, false, torch::kFloat32)->Args({64, 32})->Args({8, 28});
BENCHMARK_CAPTURE(norm, fused_bf16, true, torch::kBFloat16)->Args({64, 32})->Args({8, 28});
BENCHMARK_CAPTURE(norm, libtorch_bf16, false, torch::kBFloat16)->Args({64, 32})->Args({8, 28});

void optimizer(benchmark::State& state, nn::Rule rule) {
  nn::Optimizer optimizer({torch::rand({state.range(0)}).requires_grad_(true)}, {.rule = rule, .weight_decay = 5e-4});
  for (auto _ : state) optimizer.step(1e-3);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(optimizer, sgd, nn::Rule::sgd)->Arg(1 << 12)->Arg(11173962);
BENCHMARK_CAPTURE(optimizer, adam, nn::Rule::adam)->Arg(1 << 12)->Arg(1 << 20);

void batch(benchmark::State& state) {
  data::Dataset dataset;
  dataset.images = torch::randint(256, {1024, 3, 32, 32}, torch::kUInt8);
  dataset.labels = torch::zeros({1024}, torch::kInt64);
  const data::EpochBatches batches(dataset, torch::arange(1024), state.range(0), {.pad = 4, .flip = true}, 1, 0,
                                   torch::kCPU);
  for (auto _ : state) benchmark::DoNotOptimize(batches.get(0));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(batch)->Arg(32)->Arg(128);

/// What InfoScissors adds to a step: both adversaries' updates, both terms and their gradients in r and v.
void infoscissors_terms(benchmark::State& state, const char* psi) {
  defense::InfoScissors::Options options;
  options.input = options.prediction = 0.2;
  options.psi = psi;
  options.psi_steps = 1;
  defense::InfoScissors defense(options);
  const std::int64_t channels = state.range(0);
  defense.setup(
      {.image = {3, 32, 32}, .representation = {channels, 32, 32}, .feature = {512}, .classes = 10, .runtime = {}});
  const auto r = images(channels, 32, torch::kFloat32).requires_grad_(true);
  const auto v = torch::randn({32, 512}).requires_grad_(true);
  defense::Step step;
  step.images = torch::rand({32, 3, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  step.labels = torch::randint(10, {32}, torch::kInt64);
  step.representation = r;
  step.feature = v;
  step.cross_entropy = torch::ones({});
  step.epoch = 1;
  step.generator = tensor::make_generator(torch::kCPU, 1, "step");
  for (auto _ : state) {
    defense.update_adversary(step);
    benchmark::DoNotOptimize(torch::autograd::grad({defense.penalty(step)}, {r, v}));
  }
}
BENCHMARK_CAPTURE(infoscissors_terms, linear, "linear")->Arg(8)->Arg(64);
BENCHMARK_CAPTURE(infoscissors_terms, conv, "conv")->Arg(8)->Arg(64);

}  // namespace
}  // namespace infoscissors

int main(int argc, char** argv) {
  infoscissors::tensor::make_runtime("cpu", "fp32", 1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
