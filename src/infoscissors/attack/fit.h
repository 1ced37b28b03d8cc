#pragma once

#include "infoscissors/nn/layer.h"
#include "infoscissors/tensor/fwd.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

/// What the attacks that train a network share.
namespace infoscissors::attack {

/// Half a cosine from `rate` at step 0 to zero at `steps`.
double cosine_rate(double rate, std::int64_t step, std::int64_t steps);

/// Endless batches of indices into [0, size): each pass is a new permutation from `generator`, and a last batch of a
/// single sample is left out, for batch norm cannot train on it (unless size is 1).
class BatchStream {
 public:
  BatchStream(std::int64_t size, std::int64_t batch, Generator generator);
  torch::Tensor next();  // (B) int64, CPU
  std::int64_t per_pass() const;

 private:
  std::int64_t size_, batch_;
  Generator generator_;
  torch::Tensor order_;
  std::int64_t at_ = 0;
};

/// nn::initialise from (seed, stream), with the convolutions that narrow to few channels drawn by their fan-in: by
/// fan-out a decoder's last layer would saturate its sigmoid before the first step.
void initialise(torch::nn::Module& module, std::uint64_t seed, const std::string& stream);

/// `map` over slices of `input`'s first dimension in evaluation mode without a graph, each moved to `device` before and
/// its result gathered there. Keeps memory bounded for large test splits.
torch::Tensor in_slices(const torch::Tensor& input, const torch::Device& device,
                        const std::function<torch::Tensor(const torch::Tensor&)>& map);

/// A copy of parameters and buffers, to return to with nn::load_state.
std::map<std::string, torch::Tensor> snapshot(const torch::nn::Module& module);

/// Throws Interrupted once the person asked to stop.
void stop_if_interrupted(const std::string& attack);

}  // namespace infoscissors::attack
