#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <map>
#include <string>

namespace infoscissors::defense {

/// The clusters of a representation within each class, kept up to date while the network trains: k-means with one
/// iteration of Lloyd's an epoch over all training images, started from the first k images of each class and, from
/// epoch to epoch, from where it stood. Cluster j of class c has the index c k + j.
class Clusters {
 public:
  /// `elements`: of one flattened sample.
  Clusters(std::int64_t classes, std::int64_t per_class, std::int64_t elements, const torch::Device& device);

  /// The nearest centre of each sample's own class. samples: (B, D) float32, labels: (B) -> (B) int64. A class whose
  /// first image has not come yet has none: its samples get its first cluster.
  torch::Tensor assign(const torch::Tensor& samples, const torch::Tensor& labels) const;

  /// Adds a batch to the sums of the running epoch; samples without a gradient.
  void observe(const torch::Tensor& samples, const torch::Tensor& labels);

  /// Moves the centres to the epoch's means.
  void end_epoch();

  /// Whether an epoch has been completed, so that counts and variances mean something.
  bool ready() const;

  /// (classes k, D).
  const torch::Tensor& centres() const { return centres_; }
  /// Of the last complete epoch: images in each cluster, and their mean squared distance (over images and elements)
  /// from its mean. (classes k).
  const torch::Tensor& counts() const { return counts_; }
  const torch::Tensor& variances() const { return variances_; }

  std::int64_t classes() const { return classes_; }
  std::int64_t per_class() const { return per_class_; }
  std::map<std::string, torch::Tensor> state() const;

 private:
  void seed(const torch::Tensor& samples, const torch::Tensor& labels);

  std::int64_t classes_, per_class_;
  torch::Tensor centres_, counts_, variances_;
  torch::Tensor shift_sums_, square_sums_, tallies_;  // of the running epoch, relative to the centres
  torch::Tensor filled_;                              // (classes) int64, CPU: centres that have an image
  torch::Tensor epochs_;                              // () int64, CPU: complete ones
};

/// What the penalty needs beside the clusters (Xia et al. 2025).
struct EntropyOptions {
  double scale = 0.025;      // s, of the Gaussian noise behind the representation
  double threshold = 0.125;  // of s^2: a variance below it is pushed no more
  double offset = 0.01;      // inside both logarithms
  double mixing = 10.0;      // of batch and epoch statistics
};

/// mean over the batch's classes of sum_k pi_k relu(ln(v_k + offset) - ln(threshold s^2 + offset)), over the clusters
/// that the batch meets, in nats per element: how far the Gaussian mixture's conditional entropy of a representation is
/// above that of the noise. v_k = l v_batch + (1 - l) v_epoch with l = min(mixing n_batch / n_epoch, 0.99). samples:
/// (B, D), labels: (B) -> scalar, differentiable in the samples. The clusters must be ready.
torch::Tensor cluster_entropy(const Clusters& clusters, const torch::Tensor& samples, const torch::Tensor& labels,
                              const EntropyOptions& options);

}  // namespace infoscissors::defense
