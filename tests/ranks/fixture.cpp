#include "tests/ranks/fixture.h"

#include "infoscissors/nn/initialise.h"

namespace infoscissors::tests {
Training::Training(const std::string& spec, std::uint64_t own_seed, bool bf16) : seed(own_seed) {
  runtime = tensor::make_runtime("cpu", bf16 ? "bf16" : "fp32", 1);
  data_options.name = "synthetic";
  data_options.channels = 1;
  data_options.train = 62;
  data_options.auxiliary = 32;
  data_options.validation = 300;  // more than one batch of evaluation
  data_options.test = 32;
  dataset = data::load_dataset(data_options);
  splits = data::make_splits(dataset, data_options, seed);
  nn::ModelOptions network;
  network.width = 0.25;
  model = nn::make_split_model(network, {dataset.image_shape(), dataset.class_count(), {0.5}, {0.25}});
  for (auto* part : {&model.head, &model.encoder, &model.classifier}) {
    nn::initialise(*part->layer, tensor::make_generator(torch::kCPU, seed, "weights"));
  }
  // A channel whose input is constant is exactly 0 where the shift is 0, and rounding decides on which side of the next
  // ReLU's kink it falls.
  const torch::NoGradGuard no_grad;
  auto generator = tensor::make_generator(torch::kCPU, seed, "shifts");
  for (auto* part : {&model.head, &model.encoder}) {
    for (const auto& item : part->layer->named_parameters()) {
      if (item.key().ends_with("bias")) torch::Tensor(item.value()).uniform_(-0.5, 0.5, generator);
    }
  }
  options.epochs = 2;
  options.batch = 20;
  options.crop = 2;
  options.flip = true;
  options.clip = 5;
  options.rate = 0.01;
  defense = defense::make_defense(spec);
  defense->setup({.image = model.head.input,
                  .representation = model.head.output,
                  .feature = model.encoder.output,
                  .classes = 10,
                  .epochs = options.epochs,
                  .runtime = runtime,
                  .seed = seed});
}

train::TrainLog Training::run(const ranks::Group* group, const train::CheckpointPlace& place,
                              const std::function<void(const train::EpochLog&)>& on_epoch) {
  return train::train({model, *defense, dataset, splits, false, group}, options, runtime, seed, place, on_epoch);
}

std::map<std::string, torch::Tensor> Training::state() {
  std::map<std::string, torch::Tensor> all;
  const auto add = [&](const std::string& part, const torch::nn::Module& module) {
    for (const auto& [name, tensor] : nn::state_of(module)) all[part + "." + name] = tensor.detach().clone();
  };
  add("head", *model.head.layer);
  add("encoder", *model.encoder.layer);
  add("classifier", *model.classifier.layer);
  for (const auto& [name, module] : defense->modules()) add("defense." + name, *module);
  return all;
}

}  // namespace infoscissors::tests
