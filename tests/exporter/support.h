#pragma once

#include "infoscissors/defense/defense.h"
#include "infoscissors/exporter/bundle.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/split_model.h"

#include <memory>
#include <string>

namespace infoscissors::tests {

/// A network as training leaves it: drawn weights, and batch norms that have seen data. Nothing in it is 0 or 1.
inline nn::SplitModel trained_network(const nn::ModelOptions& options, std::int64_t channels = 1,
                                      std::int64_t side = 16) {
  const nn::ModelTask task{.input = {channels, side, side},
                           .classes = 10,
                           .mean = std::vector<double>(static_cast<std::size_t>(channels), 0.4),
                           .std = std::vector<double>(static_cast<std::size_t>(channels), 0.3)};
  auto model = nn::make_split_model(options, task);
  const torch::NoGradGuard no_grad;
  std::uint64_t index = 0;
  for (const auto* part : {&model.head, &model.encoder, &model.classifier}) {
    auto generator = tensor::make_generator(torch::kCPU, 5, "weights", index++);
    nn::initialise(*part->layer, generator);
    for (auto& [name, tensor] : nn::state_of(*part->layer)) {
      torch::Tensor value = tensor;
      if (name.ends_with("running_mean")) value.uniform_(-0.2, 0.2, generator);
      if (name.ends_with("running_var")) value.uniform_(0.5, 1.5, generator);
      if (name.ends_with("norm.module.weight")) value.uniform_(0.7, 1.3, generator);
      if (name.ends_with("norm.module.bias")) value.uniform_(-0.2, 0.2, generator);
    }
  }
  model.train(false);
  return model;
}

/// Such a network behind a defence, ready to be exported.
struct Trained {
  explicit Trained(const std::string& defense_specs, const nn::ModelOptions& options = {.width = 0.25},
                   std::int64_t channels = 1)
      : specs(defense_specs), model(trained_network(options, channels)), defense(defense::make_defense(specs)) {
    context = {.image = model.head.input,
               .representation = model.head.output,
               .feature = model.encoder.output,
               .classes = 10,
               .epochs = 1,
               .runtime = {},
               .seed = 3};
    defense->setup(context);
    // As if its own networks had learnt something.
    const torch::NoGradGuard no_grad;
    auto generator = tensor::make_generator(torch::kCPU, 6, "defense");
    for (const auto& [name, module] : defense->modules()) {
      for (auto& parameter : module->parameters()) {
        parameter.add_(0.05 * torch::randn(parameter.sizes(), generator, torch::TensorOptions(torch::kFloat32)));
      }
    }
  }

  exporter::Source source() {
    return {model,
            *defense,
            specs,
            context,
            {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"},
            std::vector<double>(static_cast<std::size_t>(context.image[0]), 0.4),
            std::vector<double>(static_cast<std::size_t>(context.image[0]), 0.3)};
  }

  std::string specs;
  nn::SplitModel model;
  defense::DefensePtr defense;
  defense::Context context;
};

inline torch::Tensor pictures(std::int64_t count, const nn::Shape& shape, std::uint64_t seed = 1) {
  auto sizes = shape;
  sizes.insert(sizes.begin(), count);
  return torch::rand(sizes, tensor::make_generator(torch::kCPU, seed, "pictures"),
                     torch::TensorOptions(torch::kFloat32));
}

}  // namespace infoscissors::tests
