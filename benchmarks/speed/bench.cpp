#include "benchmarks/speed/bench.h"

#include "infoscissors/nn/initialise.h"

namespace infoscissors::speed {
namespace {

constexpr std::int64_t kTest = 256;  // official test images: as many as rmle attacks

data::Dataset enlarge(data::Dataset dataset, const data::DataOptions& options, std::int64_t classes) {
  const auto wanted = options.train + options.auxiliary + kTest;
  const auto order = torch::arange(wanted, torch::kInt64);
  dataset.images = dataset.images.index_select(0, order.remainder(dataset.size()));
  dataset.labels = order.remainder(classes);
  dataset.classes.clear();
  for (std::int64_t i = 0; i < classes; ++i) dataset.classes.push_back(std::to_string(i));
  dataset.official_train = wanted - kTest;
  return dataset;
}

}  // namespace

experiment::RunConfig make_config(const Options& options) {
  experiment::RunConfig config;
  for (const char* setting : {"data.name=synthetic", "data.validation=0", "data.auxiliary=0", "train.epochs=1",
                              "train.schedule=constant", "train.rate=0.01"}) {
    experiment::set_option(config, setting);
  }
  for (const auto& setting : options.settings) experiment::set_option(config, setting);
  return config;
}

std::shared_ptr<experiment::Workbench> make_bench(const Options& options) {
  auto config = make_config(options);
  if (options.attack.empty()) config.data.train = config.train.batch * options.steps;
  auto bench = std::make_shared<experiment::Workbench>();
  bench->config = config;
  bench->runtime = tensor::make_runtime(config.runtime.device, config.runtime.precision, config.runtime.threads);
  bench->defense = defense::make_defense(config.defense);
  bench->dataset = enlarge(data::load_dataset(config.data), config.data, options.classes);
  bench->splits = data::make_splits(bench->dataset, config.data, bench->seed());
  const auto all = torch::arange(bench->dataset.official_train, torch::kInt64);
  const auto statistics = data::channel_statistics(bench->dataset, all);
  bench->task = {bench->dataset.image_shape(), bench->dataset.class_count(), statistics.mean, statistics.std};
  bench->model = experiment::fresh_model(*bench, bench->seed(), "weights");
  bench->defense->setup(experiment::defense_context(*bench));
  return bench;
}

void put_weights(experiment::Workbench& bench, tensor::TensorFile& file, const std::string& prefix) {
  const torch::NoGradGuard no_grad;
  const auto put = [&](const std::string& name, const torch::nn::Module& module) {
    for (const auto& [key, tensor] : nn::state_of(module)) {
      file.tensors[prefix + name + "." + key] = tensor.detach().clone().contiguous();
    }
  };
  put("head", *bench.model.head.layer);
  put("encoder", *bench.model.encoder.layer);
  put("classifier", *bench.model.classifier.layer);
  for (const auto& [name, module] : bench.defense->modules()) put(name, *module);
}

void put_setup(experiment::Workbench& bench, tensor::TensorFile& file) {
  auto config = experiment::to_json(bench.config);
  config["classes"] = bench.task.classes;
  config["image"] = bench.task.input;
  file.metadata["config"] = config.dump();
  base::Json defenses = base::Json::object();
  for (const auto& spec : base::parse_specs(bench.config.defense)) {
    defenses[spec.name] = resolve(defense::registry().find(spec.name).options, spec);
  }
  file.metadata["defenses"] = defenses.dump();
  file.tensors["images"] = bench.dataset.images;
  file.tensors["labels"] = bench.dataset.labels;
  file.tensors["train"] = bench.splits.train.indices.contiguous();
}

base::Json resolve(const base::Json& schema, const base::Spec& spec) {
  base::Json values = base::Json::object();
  for (const auto& field : schema) values[field.at("name").get<std::string>()] = field.at("default");
  for (const auto& [key, text] : spec.options) {
    auto& value = values.at(key);
    value = value.is_string() ? base::Json(text) : base::Json::parse(text);
  }
  return values;
}

torch::Tensor seed_tensor(std::uint64_t seed) {
  return torch::tensor(static_cast<std::int64_t>(seed), torch::kInt64);
}

}  // namespace infoscissors::speed
