#include "infoscissors/experiment/workbench.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/nn/initialise.h"

namespace infoscissors::experiment {
namespace {

constexpr std::int64_t kQueryBatch = 256;

void initialise(nn::SplitModel& model, std::uint64_t seed, std::string_view stream) {
  const auto generator = [&](std::uint64_t part) { return tensor::make_generator(torch::kCPU, seed, stream, part); };
  nn::initialise(*model.head.layer, generator(0));
  nn::initialise(*model.encoder.layer, generator(1));
  nn::initialise(*model.classifier.layer, generator(2));
}

/// A copy in evaluation mode that shares no tensor with the original.
nn::Part private_copy(const Workbench& bench, const nn::Part nn::SplitModel::*member) {
  auto copy = nn::make_split_model(bench.config.model, bench.task);
  nn::copy_state(*(bench.model.*member).layer, *(copy.*member).layer);
  copy.to(bench.runtime.device);
  copy.train(false);
  for (auto& parameter : copy.parameters()) parameter.set_requires_grad(false);
  return copy.*member;
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

void fill(attack::BlackBoxView& view, const std::shared_ptr<Workbench>& bench, const train::Exposed& exposed,
          std::uint64_t seed) {
  const auto auxiliary = data::gather(bench->dataset, bench->splits.auxiliary.indices, torch::kCPU);
  view.encoder = private_copy(*bench, &nn::SplitModel::encoder);
  view.representations = exposed.representations;
  view.features = exposed.features;
  view.auxiliary = {auxiliary.images.contiguous(), auxiliary.labels};
  view.query = make_query(bench, seed);
  view.image = bench->task.input;
  view.classes = bench->task.classes;
  view.fresh_encoder = [bench, seed] { return fresh_model(*bench, seed, "fresh-encoder").encoder.layer; };
  view.device = bench->runtime.device;
  view.seed = seed;
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
  bench->defense->setup({.image = bench->model.head.input,
                         .representation = bench->model.head.output,
                         .feature = bench->model.encoder.output,
                         .classes = bench->task.classes,
                         .epochs = bench->epochs(),
                         .runtime = bench->runtime,
                         .seed = bench->seed()});
  return bench;
}

nn::SplitModel fresh_model(const Workbench& bench, std::uint64_t seed, std::string_view stream) {
  auto model = nn::make_split_model(bench.config.model, bench.task);
  initialise(model, seed, stream);
  model.to(bench.runtime.device);
  return model;
}

attack::BlackBoxView black_box_view(const std::shared_ptr<Workbench>& bench, const train::Exposed& exposed,
                                    std::uint64_t seed) {
  attack::BlackBoxView view;
  fill(view, bench, exposed, seed);
  return view;
}

attack::WhiteBoxView white_box_view(const std::shared_ptr<Workbench>& bench, const train::Exposed& exposed,
                                    std::uint64_t seed) {
  attack::WhiteBoxView view;
  fill(view, bench, exposed, seed);
  view.head = private_copy(*bench, &nn::SplitModel::head);
  auto generator = std::make_shared<torch::Generator>(tensor::make_generator(bench->runtime.device, seed, "release"));
  view.release = [bench, generator](const torch::Tensor& r) {
    return bench->defense->release(r, defense::Site::representation, defense::Phase::serve, *generator);
  };
  return view;
}

}  // namespace infoscissors::experiment
