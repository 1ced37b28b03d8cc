#include "infoscissors/base/error.h"
#include "infoscissors/ranks/group.h"

#include <algorithm>

namespace infoscissors::ranks {
namespace {

/// Samples one after the other in memory; images with their channels last, as libtorch computes them, so that nothing
/// is copied and all ranks agree on the order.
torch::Tensor rows(const torch::Tensor& samples) {
  return (samples.dim() == 4 ? samples.permute({0, 2, 3, 1}) : samples).contiguous();
}

torch::Tensor from_rows(const torch::Tensor& samples) {
  return samples.dim() == 4 ? samples.permute({0, 3, 1, 2}) : samples;
}

/// Every rank's share, padded on its way to the size of the largest.
std::vector<torch::Tensor> all_shares(const Group& group, const torch::Tensor& share, std::int64_t total) {
  const auto own = rows(share);
  const auto most = share_of(total, 0, group.size()).count;
  auto sizes = own.sizes().vec();
  sizes[0] = most - own.size(0);
  const auto all = group.gather(sizes[0] > 0 ? torch::cat({own, torch::zeros(sizes, own.options())}) : own);
  std::vector<torch::Tensor> shares;
  for (int rank = 0; rank < group.size(); ++rank) {
    shares.push_back(from_rows(all[rank].narrow(0, 0, share_of(total, rank, group.size()).count)));
  }
  return shares;
}

}  // namespace

Share share_of(std::int64_t total, int rank, int size) {
  const std::int64_t least = total / size, larger = total % size;
  return {rank * least + std::min<std::int64_t>(rank, larger), least + (rank < larger ? 1 : 0)};
}

torch::Tensor take_share(const Group& group, const torch::Tensor& batch) {
  const auto [begin, count] = share_of(batch.size(0), group.rank(), group.size());
  if (!batch.requires_grad() || !torch::GradMode::is_enabled()) return batch.narrow(0, begin, count);
  const auto whole = batch.view_as(batch);  // a node of its own, for the hook
  whole.register_hook([&group, begin = begin, count = count](const torch::Tensor& gradient) {
    // Zero outside of this rank's share.
    return torch::cat(all_shares(group, gradient.narrow(0, begin, count), gradient.size(0)));
  });
  return whole.narrow(0, begin, count);
}

torch::Tensor join_shares(const Group& group, const torch::Tensor& share, std::int64_t total) {
  const auto expected = share_of(total, group.rank(), group.size()).count;
  if (share.size(0) != expected) {
    throw base::Error("[ranks] rank {}'s share of {} samples is {}, got {}", group.rank(), total, expected,
                      share.size(0));
  }
  auto shares = all_shares(group, share.detach(), total);
  shares[static_cast<std::size_t>(group.rank())] = share;  // with its graph
  return torch::cat(shares);
}

}  // namespace infoscissors::ranks
