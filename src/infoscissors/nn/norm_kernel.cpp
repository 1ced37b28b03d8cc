#include "infoscissors/nn/norm_kernel.h"

#include "infoscissors/nn/loops.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace infoscissors::nn::kernel {
namespace {

constexpr std::int64_t kTile = 64;        // elements of a tile at least: narrow tensors have several pixels in one
constexpr std::int64_t kStretch = 32;     // tiles whose sum is taken in float32
constexpr std::int64_t kGrain = 1 << 15;  // elements below which another thread does not pay

/// A tensor as its elements in memory.
template <class T>
T* elements(const torch::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

/// How a tensor is worked on: by tiles, in as many parts as threads pay.
struct Plan {
  std::int64_t channels, tile, size, parts, tiles_a_part;

  explicit Plan(const torch::Tensor& x) : channels(x.size(1)), size(x.numel()) {
    tile = channels * std::max<std::int64_t>(1, kTile / channels);
    const auto tiles = (size + tile - 1) / tile;
    parts = std::clamp<std::int64_t>(size / kGrain, 1, at::get_num_threads());
    tiles_a_part = (tiles + parts - 1) / parts;
  }

  std::int64_t begin(std::int64_t part) const { return std::min(size, part * tiles_a_part * tile); }

  /// (C) for each place in a tile.
  std::vector<float> spread(const torch::Tensor& values) const {
    std::vector<float> list(static_cast<std::size_t>(tile));
    const float* from = values.data_ptr<float>();
    for (std::int64_t i = 0; i < tile; ++i) list[static_cast<std::size_t>(i)] = from[i % channels];
    return list;
  }

  template <class Body>
  void for_each_part(const Body& body) const {
    at::parallel_for(0, parts, 1, [&](std::int64_t from, std::int64_t to) {
      for (auto part = from; part < to; ++part) body(begin(part), begin(part + 1), part);
    });
  }

  /// Two sums over each channel: `add(at, size, first, second)` adds a stretch's in float32, a value for each place in
  /// a tile.
  template <class Add>
  std::pair<torch::Tensor, torch::Tensor> sum(const Add& add) const {
    const auto places = static_cast<std::size_t>(tile);
    std::vector<std::vector<double>> totals(static_cast<std::size_t>(parts));
    for_each_part([&](std::int64_t from, std::int64_t to, std::int64_t part) {
      std::vector<double> total(2 * places, 0.0);
      std::vector<float> sums(2 * places);
      for (auto at = from; at < to; at += kStretch * tile) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        add(at, std::min(kStretch * tile, to - at), sums.data(), sums.data() + places);
        for (std::size_t i = 0; i < 2 * places; ++i) total[i] += static_cast<double>(sums[i]);
      }
      totals[static_cast<std::size_t>(part)] = std::move(total);
    });
    const auto result = torch::zeros({2, channels}, torch::kFloat64);
    auto* to = result.data_ptr<double>();
    for (const auto& total : totals) {
      for (std::int64_t i = 0; i < 2 * tile; ++i)
        to[i / tile * channels + i % tile % channels] += total[static_cast<std::size_t>(i)];
    }
    return {result[0], result[1]};
  }
};

template <class T>
Moments moments_of(const torch::Tensor& x) {
  const Plan plan(x);
  const auto* from = elements<T>(x);
  // The centre: the mean of the first tiles, near enough to the mean of all.
  const auto few = std::min(plan.size, 4 * plan.tile);
  const auto zero = std::vector<float>(static_cast<std::size_t>(plan.tile), 0.0f);
  std::vector<float> first(zero), unused(zero);
  moments_loop(from, zero.data(), first.data(), unused.data(), {few, plan.tile});
  const auto centre = torch::zeros({plan.channels});
  for (std::int64_t i = 0; i < plan.tile; ++i)
    centre.data_ptr<float>()[i % plan.channels] +=
        first[static_cast<std::size_t>(i)] * static_cast<float>(plan.channels) / static_cast<float>(few);
  const auto spread = plan.spread(centre);
  const auto [plain, square] = plan.sum([&](std::int64_t at, std::int64_t size, float* one, float* two) {
    moments_loop(from + at, spread.data(), one, two, {size, plan.tile});
  });
  const auto count = static_cast<double>(plan.size / plan.channels);
  const auto offset = plain / count;
  return {(centre + offset).to(torch::kFloat32), (square / count - offset.square()).clamp_min(0).to(torch::kFloat32)};
}

template <class T>
torch::Tensor apply_of(const torch::Tensor& x, const torch::Tensor& mean, const torch::Tensor& scale,
                       const torch::Tensor& shift, const torch::Tensor& residual, bool rectified) {
  const Plan plan(x);
  const auto y = torch::empty_like(x);
  const auto m = plan.spread(mean), a = plan.spread(scale), b = plan.spread(shift);
  const auto *from = elements<T>(x), *more = elements<T>(residual);
  auto* to = elements<T>(y);
  plan.for_each_part([&](std::int64_t begin, std::int64_t end, std::int64_t) {
    apply_loop(from + begin, m.data(), a.data(), b.data(), more ? more + begin : nullptr, rectified, to + begin,
               {end - begin, plan.tile});
  });
  return y;
}

template <class T>
GradientSums sums_of(const torch::Tensor& dy, const torch::Tensor& y, const torch::Tensor& x, const torch::Tensor& mean,
                     bool keep) {
  const Plan plan(x);
  // Without a rectifier the gradient is dy itself.
  const auto kept = keep && y.defined() ? torch::empty_like(dy) : torch::Tensor();
  const auto m = plan.spread(mean);
  const auto *g = elements<T>(dy), *out = elements<T>(y), *from = elements<T>(x);
  auto* to = elements<T>(kept);
  const auto [plain, centred] = plan.sum([&](std::int64_t at, std::int64_t size, float* one, float* two) {
    sums_loop(g + at, out ? out + at : nullptr, from + at, m.data(), one, two, to ? to + at : nullptr,
              {size, plan.tile});
  });
  return {plain, centred, keep && !y.defined() ? dy : kept};
}

template <class T>
torch::Tensor gradient_of(const torch::Tensor& dy, const torch::Tensor& y, const torch::Tensor& x,
                          const torch::Tensor& mean, const torch::Tensor& a, const torch::Tensor& b,
                          const torch::Tensor& c) {
  const Plan plan(x);
  const auto dx = torch::empty_like(x);
  const auto m = plan.spread(mean), first = plan.spread(a), second = plan.spread(b), third = plan.spread(c);
  const auto *g = elements<T>(dy), *out = elements<T>(y), *from = elements<T>(x);
  auto* to = elements<T>(dx);
  plan.for_each_part([&](std::int64_t begin, std::int64_t end, std::int64_t) {
    gradient_loop(g + begin, out ? out + begin : nullptr, from + begin, m.data(), first.data(), second.data(),
                  third.data(), to + begin, {end - begin, plan.tile});
  });
  return dx;
}

bool is_bf16(const torch::Tensor& x) {
  return x.scalar_type() == torch::kBFloat16;
}

}  // namespace

Moments moments(const torch::Tensor& x) {
  return is_bf16(x) ? moments_of<Bits>(x) : moments_of<float>(x);
}

torch::Tensor apply(const torch::Tensor& x, const torch::Tensor& mean, const torch::Tensor& scale,
                    const torch::Tensor& shift, const torch::Tensor& residual, bool rectified) {
  return is_bf16(x) ? apply_of<Bits>(x, mean, scale, shift, residual, rectified)
                    : apply_of<float>(x, mean, scale, shift, residual, rectified);
}

GradientSums gradient_sums(const torch::Tensor& dy, const torch::Tensor& y, const torch::Tensor& x,
                           const torch::Tensor& mean, bool keep) {
  return is_bf16(x) ? sums_of<Bits>(dy, y, x, mean, keep) : sums_of<float>(dy, y, x, mean, keep);
}

torch::Tensor gradient(const torch::Tensor& dy, const torch::Tensor& y, const torch::Tensor& x,
                       const torch::Tensor& mean, const torch::Tensor& a, const torch::Tensor& b,
                       const torch::Tensor& c) {
  return is_bf16(x) ? gradient_of<Bits>(dy, y, x, mean, a, b, c) : gradient_of<float>(dy, y, x, mean, a, b, c);
}

}  // namespace infoscissors::nn::kernel
