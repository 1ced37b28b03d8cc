#include "infoscissors/experiment/workbench.h"

#include "infoscissors/nn/initialise.h"

namespace infoscissors::experiment {
namespace {

void initialise(nn::SplitModel& model, std::uint64_t seed, std::string_view stream) {
  const auto generator = [&](std::uint64_t part) { return tensor::make_generator(torch::kCPU, seed, stream, part); };
  nn::initialise(*model.head.layer, generator(0));
  nn::initialise(*model.encoder.layer, generator(1));
  nn::initialise(*model.classifier.layer, generator(2));
}

}  // namespace

std::int64_t Workbench::epochs() const {
  const bool done = !config.model_from.empty() && defense->learns() == defense::Learns::nothing;
  return done ? 0 : config.train.epochs;
}

std::shared_ptr<Workbench> make_workbench(const RunConfig& config) {
  auto bench = std::make_shared<Workbench>();
  bench->config = config;
  bench->runtime = tensor::make_runtime(config.runtime.device, config.runtime.precision, config.runtime.threads);
  bench->defense = defense::make_defense(config.defense);
  bench->dataset = data::load_dataset(config.data);
  bench->splits = data::make_splits(bench->dataset, config.data, bench->seed());
  const auto statistics = data::channel_statistics(bench->dataset, bench->splits.train.indices);
  bench->task = {bench->dataset.image_shape(), bench->dataset.class_count(), statistics.mean, statistics.std};
  bench->model = fresh_model(*bench, bench->seed(), "weights");
  bench->defense->setup(defense_context(*bench));
  return bench;
}

defense::Context defense_context(const Workbench& bench) {
  return {.image = bench.model.head.input,
          .representation = bench.model.head.output,
          .feature = bench.model.encoder.output,
          .classes = bench.task.classes,
          .epochs = bench.epochs(),
          .runtime = bench.runtime,
          .seed = bench.seed()};
}

nn::SplitModel fresh_model(const Workbench& bench, std::uint64_t seed, std::string_view stream) {
  auto model = nn::make_split_model(bench.config.model, bench.task);
  initialise(model, seed, stream);
  model.to(bench.runtime.device);
  return model;
}

}  // namespace infoscissors::experiment
