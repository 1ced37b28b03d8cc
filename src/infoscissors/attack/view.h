#pragma once

#include "infoscissors/nn/split_model.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>

/// What an attacker sees. Each view holds what its threat model grants and nothing else; in particular no view holds
/// the images or labels that are attacked, so no attack can choose anything by the truth.
namespace infoscissors::attack {

/// The attacker's own data, disjoint from what the network was trained on and from what is attacked.
struct Auxiliary {
  torch::Tensor images;  // (N, C, H, W) float in [0, 1]
  torch::Tensor labels;  // (N) int64; an attack uses no more of them than its budget says
};

/// Asks the device to send what it would send for the images, the defence included. (B, C, H, W) in [0, 1] -> r.
/// Each call draws fresh noise where the defence has any.
using Query = std::function<torch::Tensor(const torch::Tensor& images)>;

/// The curious server at inference time: its own encoder, what crossed the wire, its own data and the public shapes.
struct BlackBoxView {
  nn::Part encoder;               // its own, in evaluation mode; a private copy
  torch::Tensor representations;  // r received for the inputs that are attacked, (N, ...)
  torch::Tensor features;         // v it returned for them, (N, ...)
  Auxiliary auxiliary;
  Query query;                                  // only for attacks that declare it
  nn::Shape image;                              // public: the shape of x
  std::int64_t classes = 0;                     // public: K
  std::function<nn::LayerPtr()> fresh_encoder;  // the encoder's architecture with random weights
  torch::Device device = torch::kCPU;
  std::uint64_t seed = 0;  // every random choice of the attack derives from it
};

/// The same server who also knows the head's weights and the defence as an algorithm, not its random draws.
struct WhiteBoxView : BlackBoxView {
  nn::Part head;  // a private copy, differentiable, in evaluation mode
  std::function<torch::Tensor(const torch::Tensor& representation)> release;  // the defence with fresh draws
};

}  // namespace infoscissors::attack
