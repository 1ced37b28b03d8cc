#pragma once

#include "infoscissors/nn/split_model.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

/// What an attacker sees. Each view holds what its threat model grants and nothing else; in particular no view holds
/// the images or labels that are attacked, so no attack can choose anything by the truth.
///
///     NoQueryView  <-  BlackBoxView  <-  WhiteBoxView  <-  AdaptiveWhiteBoxView
///                                    <-  ActiveView
///                                    <-  AdaptiveView
namespace infoscissors::attack {

/// The attacker's own data, disjoint from what the network was trained on and from what is attacked.
struct Auxiliary {
  torch::Tensor images;  // (N, C, H, W) float in [0, 1]
  torch::Tensor labels;  // (N) int64; an attack uses no more of them than its budget says
};

/// Asks the device to send what it would send for the images, the defence included. (B, C, H, W) in [0, 1] -> r.
/// Each call draws fresh noise where the defence has any.
using Query = std::function<torch::Tensor(const torch::Tensor& images)>;

/// Where a long attack notes how far it has come, so that the same attack goes on from there after an interruption. It
/// holds what the attack itself put there and nothing else. Empty functions: nothing is kept.
struct Notebook {
  using Page = std::map<std::string, torch::Tensor>;
  std::function<Page(const std::string& name)> read;  // an empty page where nothing was written
  std::function<void(const std::string& name, const Page& page)> write;
};

/// The curious server at inference time, who can ask the device nothing: its own encoder, what crossed the wire, its
/// own data and the public shapes.
struct NoQueryView {
  static constexpr const char* kName = "no-query";
  nn::Part encoder;               // its own, in evaluation mode; a private copy
  torch::Tensor representations;  // r received for the inputs that are attacked, (N, ...)
  torch::Tensor features;         // v it returned for them, (N, ...)
  // What becomes of the encoder's output before it is returned, with fresh draws, for the server returns v itself;
  // (B, ...) -> the same. Empty: nothing.
  std::function<torch::Tensor(const torch::Tensor& feature)> release_feature;
  Auxiliary auxiliary;
  nn::Shape image;                              // public: the shape of x
  std::int64_t classes = 0;                     // public: K
  std::function<nn::LayerPtr()> fresh_encoder;  // the encoder's architecture with random weights
  torch::Device device = torch::kCPU;
  std::uint64_t seed = 0;  // every random choice of the attack derives from it
  Notebook notebook;
};

/// The same server who can also use the device with inputs of its own.
struct BlackBoxView : NoQueryView {
  static constexpr const char* kName = "black-box";
  Query query;
};

/// The same server who also knows the head's weights and the defence as an algorithm, not its random draws.
struct WhiteBoxView : BlackBoxView {
  static constexpr const char* kName = "white-box";
  nn::Part head;  // a private copy, differentiable, in evaluation mode
  /// The defence with fresh draws, on the representation (of `images`, which some defences look at).
  std::function<torch::Tensor(const torch::Tensor& representation, const torch::Tensor& images)> release;
};

/// The server after a training in which it scaled its own updates, see ActiveAttack: nothing more than a black box,
/// but of another network.
struct ActiveView : BlackBoxView {
  static constexpr const char* kName = "active";
};

/// What crosses the wire when the device processes the attacked inputs once more.
struct Observation {
  torch::Tensor representations;  // (N, ...)
  torch::Tensor features;         // (N, ...)
};
using Observe = std::function<Observation()>;

/// The server before whom the device processes the same inputs several times, and who knows the defence: it has the
/// generator that the defence trained against.
struct AdaptiveView : BlackBoxView {
  static constexpr const char* kName = "adaptive";
  Observe observe;         // each call with fresh draws
  nn::LayerPtr adversary;  // the defence's own r -> x (psi), a private copy; null where it has none
};

/// The white-box server before whom the device processes the same inputs several times.
struct AdaptiveWhiteBoxView : WhiteBoxView {
  static constexpr const char* kName = "adaptive-white-box";
  Observe observe;
};

}  // namespace infoscissors::attack
