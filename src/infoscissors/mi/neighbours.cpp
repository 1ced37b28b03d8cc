#include "infoscissors/mi/neighbours.h"

#include "infoscissors/mi/factors.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace infoscissors::mi {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Distances in the maximum norm from points [begin, end) to all, with a point's own set to infinity.
torch::Tensor distances(const torch::Tensor& points, std::int64_t begin, std::int64_t end) {
  auto block = torch::cdist(points.slice(0, begin, end), points, kInfinity);
  block.narrow(1, begin, end - begin).diagonal().fill_(kInfinity);
  return block;
}

torch::Tensor kth_smallest(const torch::Tensor& block, std::int64_t k) {
  return std::get<0>(block.topk(k, 1, /*largest=*/false)).select(1, k - 1);
}

torch::Tensor psi(const torch::Tensor& count) {
  return torch::digamma(count.to(torch::kFloat64));
}

torch::Tensor psi(std::int64_t count) {
  return torch::digamma(torch::tensor(static_cast<double>(count), torch::kFloat64));
}

torch::Tensor for_blocks(std::int64_t n, const std::function<torch::Tensor(std::int64_t, std::int64_t)>& terms) {
  std::vector<torch::Tensor> parts;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) parts.push_back(terms(begin, std::min(begin + kBlock, n)));
  return torch::cat(parts);
}

}  // namespace

torch::Tensor neighbour_entropy_terms(const torch::Tensor& points, std::int64_t k) {
  const auto n = points.size(0);
  const auto d = static_cast<double>(points.size(1));
  return for_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    const auto radius = kth_smallest(distances(points, begin, end), k).to(torch::kFloat64);
    return psi(n) - psi(k) + d * (2 * radius).log();
  });
}

torch::Tensor kraskov_terms(const torch::Tensor& x, const torch::Tensor& y, std::int64_t k) {
  const auto n = x.size(0);
  return for_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    const auto dx = distances(x, begin, end);
    const auto dy = distances(y, begin, end);
    const auto radius = kth_smallest(torch::maximum(dx, dy), k).unsqueeze(1);
    const auto counted = [&](const torch::Tensor& d) {
      return torch::where(radius == 0, d == 0, d < radius).sum(1) + 1;  // with the pair itself
    };
    const auto copies = torch::logical_and(dx == 0, dy == 0).sum(1) + 1;
    const auto joint = torch::where(radius.squeeze(1) == 0, copies, torch::full_like(copies, k));
    return psi(joint) + psi(n) - psi(counted(dx)) - psi(counted(dy));
  });
}

torch::Tensor ross_terms(const torch::Tensor& x, const torch::Tensor& labels, std::int64_t k) {
  const auto n = x.size(0);
  const auto counts = labels.bincount();
  return for_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    const auto d = distances(x, begin, end);
    const auto own = labels.slice(0, begin, end);
    const auto other_class = own.unsqueeze(1) != labels;
    const auto radius = kth_smallest(d.masked_fill(other_class, kInfinity), k).unsqueeze(1);
    const auto tied = (radius.squeeze(1) == 0).to(torch::kInt64);
    const auto copies = torch::logical_and(d == 0, other_class.logical_not()).sum(1) + 1;
    const auto near = torch::where(tied == 1, copies, torch::full_like(copies, k));
    return psi(n) + psi(near) - psi(counts.index_select(0, own)) - psi((d <= radius).sum(1) + tied);
  });
}

}  // namespace infoscissors::mi
