#include "infoscissors/experiment/views.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/file.h"

#include <concepts>
#include <vector>

namespace infoscissors::experiment {
namespace {

constexpr std::int64_t kQueryBatch = 256;

/// A copy in evaluation mode that shares no tensor with the original.
nn::Part private_copy(const Workbench& bench, const nn::Part nn::SplitModel::*member) {
  auto copy = nn::make_split_model(bench.config.model, bench.task);
  nn::copy_state(*(bench.model.*member).layer, *(copy.*member).layer);
  copy.to(bench.runtime.device);
  copy.train(false);
  for (auto& parameter : copy.parameters()) parameter.set_requires_grad(false);
  return copy.*member;
}

/// A copy of the generator r -> x that the defence trains against, which its modules() call psi; null where there is
/// none.
nn::LayerPtr private_adversary(const Workbench& bench) {
  const auto twin = defense::make_defense(bench.config.defense);
  twin->setup(defense_context(bench));
  const auto originals = bench.defense->modules();
  for (const auto& [name, module] : twin->modules()) {
    const auto layer = std::dynamic_pointer_cast<nn::Layer>(module);
    if (!layer || (name != "psi" && !name.ends_with(".psi"))) continue;
    nn::copy_state(*originals.at(name), *layer);
    layer->eval();
    return layer;
  }
  return nullptr;
}

/// What the device would send for `images`: the head in evaluation mode and the defence with draws of their own.
attack::Query make_query(const std::shared_ptr<Workbench>& bench, std::uint64_t seed) {
  auto calls = std::make_shared<std::uint64_t>(0);
  return [bench, seed, calls](const torch::Tensor& images) {
    const torch::NoGradGuard no_grad;
    bench->model.train(false);
    auto generator = tensor::make_generator(bench->runtime.device, seed, "query", (*calls)++);
    std::vector<torch::Tensor> parts;
    for (const auto& part : images.split(kQueryBatch)) {
      const auto x = part.to(bench->runtime.device);
      const auto r = bench->model.head.forward(x);
      parts.push_back(bench->defense->release(r, defense::Site::representation, defense::Phase::serve, generator, x)
                          .to(torch::kFloat32));
    }
    return torch::cat(parts);
  };
}

/// The attacked images pass through the network once more; the closure holds which they are, and hands out r and v.
attack::Observe make_observe(const Sight& sight) {
  auto calls = std::make_shared<std::uint64_t>(0);
  return [bench = sight.bench, indices = sight.indices, seed = sight.seed, calls]() -> attack::Observation {
    const auto again =
        train::expose(bench->subject(), indices, bench->runtime, base::derive_seed(seed, "observe", (*calls)++));
    return {again.representations, again.features};
  };
}

/// A generator that lives as long as the function that draws from it.
std::shared_ptr<torch::Generator> make_shared_generator(const Sight& sight, const char* stream) {
  return std::make_shared<torch::Generator>(tensor::make_generator(sight.bench->runtime.device, sight.seed, stream));
}

}  // namespace

attack::Notebook open_notebook(const std::filesystem::path& file, const std::string& identity) {
  const auto kept = std::make_shared<tensor::TensorFile>();
  if (std::filesystem::exists(file)) {
    try {
      *kept = tensor::load_tensors(file);
    } catch (const base::Error& error) {
      base::log::warning("{}; the attack begins anew", error.what());
    }
    if (kept->metadata["identity"] != identity) kept->tensors.clear();
  }
  kept->metadata["identity"] = identity;
  const auto prefix_of = [](const std::string& name) { return name + "/"; };
  return {[kept, prefix_of](const std::string& name) {
            attack::Notebook::Page page;
            const auto prefix = prefix_of(name);
            for (const auto& [key, tensor] : kept->tensors) {
              if (key.starts_with(prefix)) page[key.substr(prefix.size())] = tensor;
            }
            return page;
          },
          [kept, prefix_of, file](const std::string& name, const attack::Notebook::Page& page) {
            for (const auto& [key, tensor] : page)
              kept->tensors[prefix_of(name) + key] = tensor.detach().to(torch::kCPU, false, true);
            tensor::save_tensors(file, *kept);
          }};
}

template <class View>
View make_view(const Sight& sight) {
  const auto& bench = sight.bench;
  const auto auxiliary = data::gather(bench->dataset, bench->splits.auxiliary.indices, torch::kCPU);
  View view;
  view.encoder = private_copy(*bench, &nn::SplitModel::encoder);
  view.representations = sight.exposed.representations;
  view.features = sight.exposed.features;
  view.release_feature = [bench, generator = make_shared_generator(sight, "release-feature")](const torch::Tensor& v) {
    return bench->defense->release(v, defense::Site::feature, defense::Phase::serve, *generator);
  };
  view.auxiliary = {auxiliary.images.contiguous(), auxiliary.labels};
  view.image = bench->task.input;
  view.classes = bench->task.classes;
  view.fresh_encoder = [bench, seed = sight.seed] { return fresh_model(*bench, seed, "fresh-encoder").encoder.layer; };
  view.device = bench->runtime.device;
  view.seed = sight.seed;
  view.notebook = sight.notebook;
  if constexpr (std::derived_from<View, attack::BlackBoxView>) view.query = make_query(bench, sight.seed);
  if constexpr (std::derived_from<View, attack::WhiteBoxView>) {
    view.head = private_copy(*bench, &nn::SplitModel::head);
    view.release = [bench, generator = make_shared_generator(sight, "release")](const torch::Tensor& r,
                                                                                const torch::Tensor& images) {
      return bench->defense->release(r, defense::Site::representation, defense::Phase::serve, *generator, images);
    };
  }
  if constexpr (requires { view.observe; }) view.observe = make_observe(sight);
  if constexpr (requires { view.adversary; }) view.adversary = private_adversary(*bench);
  return view;
}

template attack::NoQueryView make_view(const Sight&);
template attack::BlackBoxView make_view(const Sight&);
template attack::WhiteBoxView make_view(const Sight&);
template attack::ActiveView make_view(const Sight&);
template attack::AdaptiveView make_view(const Sight&);
template attack::AdaptiveWhiteBoxView make_view(const Sight&);

std::shared_ptr<Workbench> train_with(const attack::ActiveAttack& attack, const RunConfig& config,
                                      const std::filesystem::path& directory) {
  if (!config.model_from.empty()) {
    throw base::UsageError(
        "{}: this server takes part in training, but the network came trained from {}; attack a run that trains its "
        "own",
        attack.training(), config.model_from);
  }
  auto bench = make_workbench(config);
  const auto identity = base::content_hash(config_hash(config) + attack.training());
  const train::CheckpointPlace place{directory / ("active-" + identity.substr(0, 12) + ".safetensors"), identity};
  base::log::info("training with {} on the server", attack.training());
  train::train(bench->subject(), config.train, bench->runtime, bench->seed(), place, {},
               [&](const torch::Tensor& now, const torch::Tensor& before) { return attack.factor(now, before); });
  return bench;
}

}  // namespace infoscissors::experiment
