#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::ranks {

/// The processes ("ranks") that train one network together. Every rank calls the same functions in the same order with
/// tensors of the same shape and type, on any device. Each throws base::Error, in one line, where another rank has
/// ended or does not answer in time.
class Group {
 public:
  virtual ~Group() = default;
  virtual int rank() const = 0;  // 0 .. size - 1
  virtual int size() const = 0;

  /// Replaces the tensor by its sum over all ranks, bit for bit the same on each. float32, float64 or int64.
  virtual void sum(const torch::Tensor& tensor) const = 0;
  /// Replaces the tensor by rank 0's.
  virtual void broadcast(const torch::Tensor& tensor) const = 0;
  /// Every rank's tensor along a new first dimension, in the order of the ranks.
  virtual torch::Tensor gather(const torch::Tensor& tensor) const = 0;
};

/// Which of a batch's `total` samples are a rank's: contiguous shares that differ by at most one. Where there are more
/// ranks than samples, some have none.
struct Share {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};
Share share_of(std::int64_t total, int rank, int size);

/// This rank's share of a batch that every rank holds whole, (B, ...) -> (share, ...). On the way back every rank gets
/// the whole gradient: the ranks' shares of it are put together.
torch::Tensor take_share(const Group& group, const torch::Tensor& batch);

/// The counterpart: the whole batch from the ranks' shares, (share, ...) -> (total, ...). On the way back each rank's
/// share gets its part of a gradient that every rank has whole. So what lies between a join and a take is computed by
/// every rank alike for the whole batch, as one process would, and what lies between a take and a join is shared.
torch::Tensor join_shares(const Group& group, const torch::Tensor& share, std::int64_t total);

}  // namespace infoscissors::ranks
