#include "tests/attack/toy.h"

#include "infoscissors/base/error.h"
#include "infoscissors/metric/image.h"
#include "infoscissors/nn/backbone.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/device.h"

#include <concepts>
#include <utility>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kCount = 320, kAttackedAtMost = 64, kSide = 16, kClasses = 4;

torch::Tensor make_images(std::int64_t channels, const torch::Tensor& labels) {
  auto generator = tensor::make_generator(torch::kCPU, 5, "toy-images");
  const auto coarse = torch::rand({kCount, channels, 5, 5}, generator);
  auto images = torch::upsample_bilinear2d(coarse, {kSide, kSide}, true) * 0.5;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const auto label = labels[i].item<std::int64_t>();
    const auto top = 2 + kSide / 2 * (label / 2), left = 2 + kSide / 2 * (label % 2);
    images[i].slice(1, top, top + 4).slice(2, left, left + 4) += 0.4;
  }
  return images;
}

nn::LayerPtr make_server_layers(std::uint64_t seed) {
  auto layers = std::make_shared<nn::Sequence>();
  layers->append("block", nn::conv_norm_relu(8, 8, 3, 1));
  layers->append("pool", std::make_shared<nn::Function>([](const torch::Tensor& x) {
                   return torch::avg_pool2d(x, {4, 4}).flatten(1);
                 }));
  nn::initialise(*layers, tensor::make_generator(torch::kCPU, seed, "toy-server"));
  return layers;
}

nn::Part frozen(nn::LayerPtr layer, const nn::Shape& input) {
  layer->eval();
  for (auto& parameter : layer->parameters()) parameter.set_requires_grad(false);
  auto output = nn::output_shape(*layer, input);
  return {std::move(layer), input, std::move(output)};
}

}  // namespace

Toy::Toy(std::int64_t channels) {
  const torch::NoGradGuard no_grad;
  labels = torch::arange(kCount, torch::kInt64).remainder(kClasses);
  images = make_images(channels, labels);
  auto device = nn::conv_norm_relu(channels, 8, 3, 1);
  nn::initialise(*device, tensor::make_generator(torch::kCPU, 5, "toy-head"));
  head = frozen(device, {channels, kSide, kSide});
  encoder = frozen(make_server_layers(5), head.output);
}

template <class View>
View Toy::view(std::int64_t attacked, const Release& release) const {
  const torch::NoGradGuard no_grad;
  const Release sent = release ? release : [](const torch::Tensor& r) { return r; };
  View view;
  view.encoder = encoder;
  view.representations = sent(head.forward(truth(attacked)));
  view.features = encoder.forward(view.representations);
  view.auxiliary = {images.slice(0, kAttackedAtMost), labels.slice(0, kAttackedAtMost)};
  view.image = head.input;
  view.classes = kClasses;
  view.fresh_encoder = [] { return make_server_layers(99); };
  view.seed = 3;
  if constexpr (std::derived_from<View, BlackBoxView>) {
    view.query = [net = head, sent, count = queried](const torch::Tensor& asked) {
      *count += asked.size(0);
      return sent(net.forward(asked));
    };
  }
  if constexpr (std::derived_from<View, WhiteBoxView>) {
    view.head = head;
    view.release = [sent](const torch::Tensor& r, const torch::Tensor&) { return sent(r); };
  }
  if constexpr (requires { view.observe; }) {
    view.observe = [net = head, server = encoder, sent, victims = truth(attacked), count = observed]() -> Observation {
      const torch::NoGradGuard again;
      ++*count;
      const auto r = sent(net.forward(victims));
      return {r, server.forward(r)};
    };
  }
  return view;
}

template NoQueryView Toy::view(std::int64_t, const Release&) const;
template BlackBoxView Toy::view(std::int64_t, const Release&) const;
template WhiteBoxView Toy::view(std::int64_t, const Release&) const;
template ActiveView Toy::view(std::int64_t, const Release&) const;
template AdaptiveView Toy::view(std::int64_t, const Release&) const;
template AdaptiveWhiteBoxView Toy::view(std::int64_t, const Release&) const;

double similarity(const torch::Tensor& reconstructions, const torch::Tensor& truth) {
  return metric::ssim(reconstructions, truth).mean().item<double>();
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace infoscissors::attack
