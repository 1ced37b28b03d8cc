#pragma once

#include "infoscissors/attack/attack.h"
#include "infoscissors/nn/split_model.h"
#include "infoscissors/tensor/torch.h"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>

namespace infoscissors::attack {

/// A split network too small to be slow: one convolution with batch norm and ReLU on the device, one behind it and a
/// pooling on the server, random weights. Images are smooth fields with a bright spot whose quadrant is the class.
struct Toy {
  using Release = std::function<torch::Tensor(const torch::Tensor&)>;

  explicit Toy(std::int64_t channels = 1);

  /// What the server sees of the images 0 .. attacked - 1; its auxiliary images are others. `release` is the device's
  /// defence.
  template <class View>
  View view(std::int64_t attacked = 16, const Release& release = {}) const;
  BlackBoxView black_box(std::int64_t attacked = 16, const Release& release = {}) const {
    return view<BlackBoxView>(attacked, release);
  }
  WhiteBoxView white_box(std::int64_t attacked = 16, const Release& release = {}) const {
    return view<WhiteBoxView>(attacked, release);
  }

  torch::Tensor truth(std::int64_t attacked = 16) const { return images.slice(0, 0, attacked); }
  torch::Tensor classes(std::int64_t attacked = 16) const { return labels.slice(0, 0, attacked); }

  nn::Part head, encoder;
  torch::Tensor images;  // (320, C, 16, 16) in [0, 1]
  torch::Tensor labels;  // (320) int64, in [0, 4)
  std::shared_ptr<std::int64_t> queried = std::make_shared<std::int64_t>(0);
  std::shared_ptr<std::int64_t> observed = std::make_shared<std::int64_t>(0);  // times the victims were seen again
};

/// Runs the attack that `spec` describes; throws if its threat model asks for another view.
template <class View>
Outcome run(const std::string& spec, const View& view) {
  using Attack = std::conditional_t<std::is_same_v<View, ActiveView>, ActiveAttack, AttackOn<View>>;
  const auto attack = registry().make(base::parse_spec(spec));
  return std::get<std::shared_ptr<const Attack>>(attack)->run(view);
}

/// Mean SSIM over the images.
double similarity(const torch::Tensor& reconstructions, const torch::Tensor& truth);

/// The message of the base::Error that `call` throws, or "no error".
std::string message_of(const std::function<void()>& call);

}  // namespace infoscissors::attack
