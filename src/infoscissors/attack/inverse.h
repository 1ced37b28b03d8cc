#pragma once

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/options.h"
#include "infoscissors/nn/layer.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <string>

/// Inverse networks r -> x, which several attacks train.
namespace infoscissors::attack {

struct InverseOptions {
  std::string decoder = "conv";
  std::int64_t budget = 400;
  std::int64_t width = 16;
  std::int64_t epochs = 50;
  std::int64_t steps = 600;
  std::int64_t batch = 32;
  double rate = 1e-3;
  double validation = 0.1;
  std::int64_t draws = 1;

  base::Fields fields();
};

/// What the device answered and the image it was asked about.
struct Pairs {
  torch::Tensor inputs;  // (n, ...) as the network takes them
  torch::Tensor images;  // (n, ...) in [0, 1]
  Pairs part(std::int64_t from, std::int64_t to) const {
    return {inputs.slice(0, from, to), images.slice(0, from, to)};
  }
};

/// Asks the device about images (B, ...) anew and prepares its answers as the pairs' inputs are prepared.
using Redraw = std::function<torch::Tensor(const torch::Tensor& images)>;

/// A decoder of nn::make_decoder's families for any shape of x: what is no image (C, H, W) is made as one of as many
/// elements, the first dimension as channels and the last as columns.
nn::LayerPtr make_inverse(const std::string& family, const nn::Shape& input, const nn::Shape& image,
                          std::int64_t width);

/// Trains `net` on the pairs by squared error and leaves it in evaluation mode with the weights that did best on the
/// held-out share, those it came with among them; they too are the attacker's own. The first `draws` passes each see
/// answers of their own, the first being the pairs as given; later passes see the last ones. Writes what it did to
/// `details`. Random streams are named after the attack. Keeps its place in the view's notebook where draws is 1:
/// answers to repeated questions are not kept.
void fit_inverse(const std::string& attack, nn::Layer& net, Pairs pairs, const Redraw& redraw,
                 const InverseOptions& options, const NoQueryView& view, base::Json& details);

/// The net's answer in [0, 1] for every row of `inputs`, which `prepare` brings into the form of the pairs.
torch::Tensor invert_with(nn::Layer& net, const torch::Tensor& inputs, const torch::Device& device,
                          const std::function<torch::Tensor(const torch::Tensor&)>& prepare);

/// What is left when nothing is sent that depends on x: the mean of the attacker's own images, the best guess in
/// squared error, `count` times.
torch::Tensor mean_guess(const torch::Tensor& images, std::int64_t count);

}  // namespace infoscissors::attack
