#include "infoscissors/attack/prior.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/rmle.h"
#include "infoscissors/tensor/device.h"

#include <cmath>

namespace infoscissors::attack {
namespace {

constexpr std::size_t kConvolutions = 4;
constexpr double kSlope = 0.1;

// x: (M, in, H, W), weight: (M, out, in, 3, 3), bias: (M, out) -> (M, out, H, W): each candidate by its own weights.
torch::Tensor convolve(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  const auto groups = x.size(0);
  const auto joined = x.reshape({1, groups * x.size(1), x.size(2), x.size(3)});
  return torch::conv2d(joined, weight.flatten(0, 1), bias.flatten(), 1, 1, 1, groups)
      .view({groups, weight.size(1), x.size(2), x.size(3)});
}

}  // namespace

std::vector<std::int64_t> PriorShape::sides(std::int64_t size) const {
  return {(size + 3) / 4, (size + 1) / 2, size};
}

torch::Tensor prior_noise(const PriorShape& shape, torch::Generator generator) {
  return torch::rand({1, shape.hidden, shape.sides(shape.height)[0], shape.sides(shape.width)[0]}, generator) * 2 - 1;
}

std::vector<torch::Tensor> prior_weights(const PriorShape& shape, std::int64_t count, torch::Generator generator) {
  std::vector<torch::Tensor> weights;
  for (std::size_t i = 0; i < kConvolutions; ++i) {
    const auto out = i + 1 == kConvolutions ? shape.channels : shape.hidden;
    const double spread = std::sqrt(2.0 / static_cast<double>(9 * shape.hidden));
    weights.push_back(torch::randn({count, out, shape.hidden, 3, 3}, generator) * spread);
    weights.push_back(torch::zeros({count, out}));
  }
  return weights;
}

torch::Tensor prior_images(const PriorShape& shape, const torch::Tensor& noise,
                           const std::vector<torch::Tensor>& weights) {
  const auto heights = shape.sides(shape.height), widths = shape.sides(shape.width);
  auto x = noise.expand({weights.front().size(0), -1, -1, -1});
  for (std::size_t i = 0; i + 1 < kConvolutions; ++i) {
    x = torch::group_norm(convolve(x, weights[2 * i], weights[2 * i + 1]), 1);
    x = torch::leaky_relu(x, kSlope);
    if (i + 2 < kConvolutions) x = torch::upsample_bilinear2d(x, {heights[i + 1], widths[i + 1]}, false);
  }
  return torch::sigmoid(convolve(x, weights[2 * kConvolutions - 2], weights[2 * kConvolutions - 1]));
}

namespace {

struct PriorOptions : RmleOptions {
  std::int64_t width = 16;

  PriorOptions() {
    starts = 1;
    steps = 1500;
  }

  base::Fields fields() {
    auto list = RmleOptions::fields();
    list.push_back({"width", &width, base::between(1, 1024), "channels of the untrained generator"});
    return list;
  }
};

/// rmle over the weights of an untrained generator, one for each image.
class Prior final : public WhiteBoxAttack {
 public:
  using Options = PriorOptions;
  explicit Prior(Options options) : options_(options) {}

  static AttackDoc doc() {
    return {"prior", "rmle over the weights of an untrained generator (deep image prior)",
            "Ulyanov et al. 2018; He et al. 2019 (ACSAC), section 4", Goal::input};
  }

  Outcome run(const WhiteBoxView& view) const override {
    return invert_by_search(
        "prior", view, view.representations, [&](const torch::Tensor& x) { return view.head.forward(x); }, options_, 1,
        [&](std::uint64_t group) { return parametrise(view, group); });
  }

 private:
  // What is no image (C, H, W) is generated as one of as many elements, as the inverse networks do.
  Parametrisation parametrise(const NoQueryView& view, std::uint64_t group) const {
    const auto& image = view.image;
    const auto channels = image.size() > 1 ? image.front() : 1, columns = !image.empty() ? image.back() : 1;
    const PriorShape shape{channels, nn::element_count(image) / channels / columns, columns, options_.width};
    const auto generator = tensor::make_generator(torch::kCPU, view.seed, "prior:weights", group);
    const auto noise =
        prior_noise(shape, tensor::make_generator(torch::kCPU, view.seed, "prior:noise")).to(view.device);
    auto sizes = image;
    sizes.insert(sizes.begin(), -1);
    return {[shape, generator, device = view.device](std::int64_t, std::int64_t count) {
              auto weights = prior_weights(shape, count, generator);
              for (auto& weight : weights) weight = weight.to(device);
              return weights;
            },
            [shape, noise, sizes](const std::vector<torch::Tensor>& weights) {
              return prior_images(shape, noise, weights).reshape(sizes);
            },
            {}};
  }

  Options options_;
};

const bool kPriorRegistered = register_attack<Prior>();

}  // namespace
}  // namespace infoscissors::attack
