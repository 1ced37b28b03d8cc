#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/base/registry.h"
#include "infoscissors/nn/layer.h"
#include "infoscissors/tensor/device.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::defense {

/// Where a tensor is exposed: the representation r (device -> server) or the feature v (what the server computes and
/// returns).
enum class Site { representation, feature };

/// When. A defence may only tell `train` from the rest where its source does.
enum class Phase { train, evaluate, serve };

/// What must be learnt before a defence protects, and so whether it can be added to a network that is trained already.
enum class Learns {
  nothing,  // perturbs by rule: to any trained network as it stands
  itself,   // has parts of its own to fit, for which a trained network may stay as it is
  network,  // protects by how the network is trained: never afterwards
};

/// "any time", "any time, once fitted", "in training".
std::string to_string(Learns learns);

/// What a defence must fit; known before the first step.
struct Context {
  nn::Shape image;           // x: {C, H, W}
  nn::Shape representation;  // r
  nn::Shape feature;         // v
  std::int64_t classes = 0;
  std::int64_t epochs = 0;  // length of the training, for schedules
  tensor::Runtime runtime;  // device and precision
  std::uint64_t seed = 0;
};

/// One training step as a defence sees it. r, v and the logits carry the autograd graph.
struct Step {
  torch::Tensor images;          // x: (B, C, H, W) in [0, 1]
  torch::Tensor labels;          // y: (B)
  torch::Tensor representation;  // r as released
  torch::Tensor feature;         // v as released
  torch::Tensor logits;          // (B, K)
  torch::Tensor cross_entropy;   // of the device's classifier, scalar, nats
  double progress = 0;           // share of the training done, [0, 1)
  double epoch = 0;              // epochs done, fractional
  double rate = 0;               // learning rate of the main optimiser
  torch::Generator generator;    // for this step alone
};

/// A defence. Hooks do nothing by default; the training loop calls them in the order in which they stand here.
class Defense {
 public:
  virtual ~Defense() = default;

  virtual Learns learns() const { return Learns::network; }

  /// What only one defence of a composition may hold ("the bottleneck at the feature"): a second one would fit the same
  /// thing against the first, and log its figures under the same names.
  virtual std::vector<std::string> claims() const { return {}; }

  /// Whether release() looks at the image. After a defence that guarantees something of r it would void the guarantee.
  virtual bool reads_image() const { return false; }

  /// Whether the released r carries a privacy guarantee, which holds whatever is done to r alone afterwards.
  virtual bool guarantees_representation() const { return false; }

  /// Builds what depends on shapes (adversaries, bottlenecks). Called once before anything else.
  virtual void setup(const Context&) {}

  /// What leaves the device (or is returned to it) instead of `exposed`; the same code in training, evaluation and
  /// serving. Keeps the batch dimension. `images`: x, (B, C, H, W) in [0, 1], which the device knows in every phase;
  /// left out where only r is at hand (an attacker who applies the defence to a guess).
  virtual torch::Tensor release(const torch::Tensor& exposed, Site, Phase, torch::Generator&,
                                const torch::Tensor& images = {}) {
    (void)images;
    return exposed;
  }

  /// What the device sends the server in training instead of the objective's gradient in the released v, (B, D).
  virtual torch::Tensor release_gradient(const torch::Tensor& gradient, torch::Generator&) { return gradient; }

  /// Trains the adversaries on the step's tensors, detached, before the penalty is computed.
  virtual void update_adversary(const Step&) {}

  /// What is added to the weighted cross-entropy, scalar; undefined: nothing. Its gradient reaches the main network
  /// only: the loop does not accumulate gradients in other parameters.
  virtual torch::Tensor penalty(const Step&) { return {}; }

  /// The factor of the cross-entropy in the objective, in (0, 1].
  virtual double task_weight(const Step&) const { return 1.0; }

  /// Called after the main optimiser's step.
  virtual void finish_step() {}

  /// Figures of the epoch that ends (means over its steps), and warnings a person should read.
  struct EpochReport {
    std::map<std::string, double> values;
    std::vector<std::string> warnings;
  };
  virtual EpochReport end_epoch() { return {}; }

  /// Figures of the defence as it is served, recorded with the run's accuracy (a privacy guarantee).
  virtual std::map<std::string, double> measures() const { return {}; }

  /// Parameters trained by the main optimiser with the network (a bottleneck's), in a fixed order.
  virtual std::vector<torch::Tensor> trained_parameters() { return {}; }

  /// Every module and state that a checkpoint must hold, by name.
  virtual std::map<std::string, std::shared_ptr<torch::nn::Module>> modules() { return {}; }
  virtual std::map<std::string, torch::Tensor> state() { return {}; }
  virtual void load_state(const std::map<std::string, torch::Tensor>&) {}
};

using DefensePtr = std::shared_ptr<Defense>;

base::Registry<DefensePtr>& registry();

/// Registers a class with a nested Options, a static doc() -> base::Doc, a static sites() -> std::string and a
/// constructor from Options, which must accept the defaults.
template <class Method>
bool register_defense() {
  const Method plain{typename Method::Options{}};
  registry().add(base::make_entry<DefensePtr, typename Method::Options>(
      Method::doc(), {{"sites", Method::sites()}, {"applies", to_string(plain.learns())}},
      [](const typename Method::Options& options) -> DefensePtr { return std::make_shared<Method>(options); }));
  return true;
}

/// Builds `infoscissors(input=0.2)+an(scale=0.3)`: releases apply in order, penalties add, task weights multiply. An
/// empty text or "none" protects nothing.
DefensePtr make_defense(std::string_view specs);

/// The canonical text of a composition: defaults left out, spaces removed.
std::string canonical_defense(std::string_view specs);

}  // namespace infoscissors::defense
