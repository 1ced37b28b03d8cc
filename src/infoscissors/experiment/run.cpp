#include "infoscissors/experiment/run.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/experiment/source.h"
#include "infoscissors/experiment/views.h"
#include "infoscissors/metric/classification.h"
#include "infoscissors/metric/image.h"
#include "infoscissors/ranks/group.h"
#include "infoscissors/tensor/file.h"
#include "infoscissors/train/checkpoint.h"

#include <chrono>
#include <type_traits>

namespace infoscissors::experiment {
namespace {

using base::Error;
using base::Json;
using base::UsageError;
namespace fs = std::filesystem;

constexpr const char* kOriginals = "images/originals.npy";

results::RunRecord new_record(const RunConfig& config) {
  results::RunRecord record;
  record.defense = defense::canonical_defense(config.defense);
  record.command = "infoscissors run config.toml --out again";  // config.toml lies beside the record
  record.config_hash = config_hash(config);
  record.seed = static_cast<std::uint64_t>(config.seed);
  record.version = base::version();
  record.commit = base::commit();
  record.libtorch = tensor::libtorch_version();
  record.machine = base::describe_machine();
  record.config = to_json(config);
  return record;
}

Json describe_split(const data::Split& split) {
  return {{"count", split.indices.size(0)}, {"hash", split.hash}};
}

Json describe_data(const Workbench& bench) {
  return {{"name", bench.dataset.name},
          {"classes", bench.dataset.classes},
          {"shape", bench.dataset.image_shape()},
          {"splits",
           {{"train", describe_split(bench.splits.train)},
            {"auxiliary", describe_split(bench.splits.auxiliary)},
            {"validation", describe_split(bench.splits.validation)},
            {"test", describe_split(bench.splits.test)}}}};
}

results::EpochRecord to_record(const train::EpochLog& log) {
  return {log.epoch, log.values};
}

/// Rank 0's answer to whether there is anything to train, on every rank.
bool agree(const ranks::Group& group, bool wanted) {
  const auto answer = torch::full({1}, wanted ? 1 : 0, torch::kInt64);
  group.broadcast(answer);
  return answer.item<std::int64_t>() != 0;
}

std::string epoch_line(const train::EpochLog& log, std::int64_t epochs) {
  std::string text = fmt::format("epoch {}/{}:", log.epoch, epochs);
  for (const auto& [name, value] : log.values) text += fmt::format(" {} {:.4g}", name, value);
  return text;
}

}  // namespace

Run::Run(const RunConfig& config, fs::path directory, results::RunRecord record)
    : config_(config), directory_(std::move(directory)), record_(std::move(record)) {}

void Run::open_log() const {
  base::log::open_log_file(directory_ / "log.txt");
}

Run Run::start(const RunConfig& config, const fs::path& directory) {
  validate(config);
  const auto hash = config_hash(config);
  if (fs::exists(directory / "metrics.json")) {
    auto record = results::load_run(directory);
    if (record.config_hash != hash) {
      throw UsageError("{}: holds a run of another configuration ({} instead of {}); choose another --out or remove it",
                       directory.string(), record.config_hash.substr(0, 12), hash.substr(0, 12));
    }
    record.config = to_json(config);
    Run run(config, directory, std::move(record));
    run.open_log();
    return run;
  }
  base::ensure_directory(directory);
  Run run(config, directory, new_record(config));
  run.open_log();
  base::write_file(directory / "config.toml", base::to_toml(run.record_.config));
  return run;
}

Run Run::open(const fs::path& directory, const RuntimeOptions& runtime) {
  auto run = read(directory, runtime);
  run.open_log();
  return run;
}

Run Run::read(const fs::path& directory, const RuntimeOptions& runtime) {
  auto record = results::load_run(directory);
  auto config = config_from_json(record.config, (directory / "metrics.json").string());
  config.runtime = runtime;
  return {config, directory, std::move(record)};
}

train::CheckpointPlace Run::place() const {
  return {directory_ / kCheckpoint, record_.config_hash};
}

void Run::save() const {
  results::save_run(directory_, record_);
}

void Run::train(const ranks::Group* group) {
  if (group) agree(*group, !record_.trained);
  if (record_.trained) {
    base::log::info("{}: is trained already", directory_.string());
    return;
  }
  bench_ = make_workbench(config_);
  if (!config_.model_from.empty()) load_source(*bench_);
  record_.data = describe_data(*bench_);
  record_.status = results::kRunning;
  if (group) record_.machine["ranks"] = group->size();
  save();
  try {
    train_and_measure(group);
  } catch (const base::Interrupted&) {
    record_.status = results::kInterrupted;
    save();
    throw;
  } catch (...) {
    record_.status = results::kFailed;
    save();
    throw;
  }
}

void Run::train_and_measure(const ranks::Group* group) {
  auto subject = bench_->subject();
  subject.group = group;
  auto options = config_.train;
  options.epochs = bench_->epochs();
  const auto log =
      train::train(subject, options, bench_->runtime, bench_->seed(), place(), [&](const train::EpochLog& epoch) {
        base::log::info("{}", epoch_line(epoch, options.epochs));
        for (const auto& warning : epoch.warnings) base::log::warning("{}", warning);
      });
  record_.train_seconds = log.seconds;
  record_.epochs.clear();
  record_.warnings.clear();
  for (const auto& epoch : log.epochs) {
    record_.epochs.push_back(to_record(epoch));
    for (const auto& warning : epoch.warnings)
      record_.warnings.push_back(fmt::format("epoch {}: {}", epoch.epoch, warning));
  }
  loaded_ = true;
  measure();
  record_.trained = true;
  record_.status = results::kComplete;
  save();
}

void assist(const RunConfig& config, const ranks::Group& group) {
  if (!agree(group, false)) return;
  const auto bench = make_workbench(config);
  if (!config.model_from.empty()) load_source(*bench);
  auto subject = bench->subject();
  subject.group = &group;
  auto options = config.train;
  options.epochs = bench->epochs();
  train::train(subject, options, bench->runtime, bench->seed(), {}, {});
}

std::shared_ptr<Workbench> Run::trained() {
  if (!bench_) bench_ = make_workbench(config_);
  if (!loaded_) train::load_trained(place(), bench_->subject(), bench_->epochs());
  loaded_ = true;
  return bench_;
}

void Run::measure() {
  const auto& indices = measured_indices();
  const auto result = train::evaluate(bench_->subject(), indices, bench_->runtime, bench_->seed());
  record_.measures = bench_->defense->measures();
  record_.measures["accuracy"] = result.accuracy;
  record_.measures["cross_entropy"] = result.cross_entropy;
  base::log::info("accuracy {:.4f} on {} {} images", result.accuracy, indices.size(0), config_.evaluate.split);
}

void Run::evaluate() {
  trained();
  measure();
  save();
}

const torch::Tensor& Run::measured_indices() const {
  return config_.evaluate.split == "test" ? bench_->splits.test.indices : bench_->splits.validation.indices;
}

torch::Tensor Run::attacked_indices(attack::Goal goal) const {
  const auto& all = measured_indices();
  return goal == attack::Goal::input ? all.slice(0, 0, std::min(config_.evaluate.images, all.size(0))) : all;
}

const train::Exposed& Run::exposed(attack::Goal goal) {
  auto& cache = goal == attack::Goal::input ? exposed_input_ : exposed_prediction_;
  if (!cache) cache = train::expose(bench_->subject(), attacked_indices(goal), bench_->runtime, bench_->seed());
  return *cache;
}

const results::AttackRecord& Run::attack(const std::string& text, std::optional<std::uint64_t> chosen, bool again) {
  const auto spec = base::parse_spec(text);
  const auto& entry = attack::registry().find(spec.name);
  const auto method = entry.make(spec);
  results::AttackRecord result;
  result.name = spec.name;
  result.spec = entry.canonical(spec);
  result.view = attack::view_name(method);
  result.goal = entry.traits.at("goal").get<std::string>();
  result.seed = chosen.value_or(record_.seed);
  const auto recorded = [&] {
    return std::find_if(record_.attacks.begin(), record_.attacks.end(),
                        [&](const auto& a) { return a.spec == result.spec && a.seed == result.seed; });
  };
  if (const auto found = recorded(); found != record_.attacks.end() && !again) {
    base::log::info("{}: is recorded already", result.spec);
    return *found;
  }
  trained();
  const auto goal = attack::goal_of(spec.name);
  const auto seed = base::derive_seed(result.seed, "attack:" + result.spec);
  const auto begin = std::chrono::steady_clock::now();
  const auto outcome =
      std::visit([&](const auto& chosen_method) { return launch(*chosen_method, goal, seed); }, method);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.details = outcome.details;
  goal == attack::Goal::input ? measure_reconstructions(outcome, result) : measure_predictions(outcome, result);
  std::string line = fmt::format("{} ({}, {}):", result.spec, result.view, base::format_seconds(result.seconds));
  for (const auto& [name, value] : result.measures) line += fmt::format(" {} {:.4f}", name, value);
  base::log::info("{}", line);
  results::put_attack(record_, result);
  save();
  return *recorded();
}

template <class Method>
attack::Outcome Run::launch(const Method& method, attack::Goal goal, std::uint64_t seed) {
  const auto indices = attacked_indices(goal);
  if constexpr (std::is_same_v<Method, attack::ActiveAttack>) {
    const auto bench = train_with(method, config_, directory_);
    const auto exposed = train::expose(bench->subject(), indices, bench->runtime, bench->seed());
    auto outcome = method.run(make_view<attack::ActiveView>({bench, exposed, indices, seed}));
    // What the person would see of the attack: the network that was trained under it serves less well, or as well.
    outcome.details["network_accuracy"] =
        train::evaluate(bench->subject(), measured_indices(), bench->runtime, bench->seed()).accuracy;
    return outcome;
  } else {
    const auto identity = base::content_hash(fmt::format("{}#{}#{}", record_.config_hash, seed, indices.size(0)));
    const auto file = directory_ / ("attack-" + identity.substr(0, 12) + ".safetensors");
    const auto notebook = open_notebook(file, identity);
    auto outcome = method.run(make_view<typename Method::View>({bench_, exposed(goal), indices, seed, notebook}));
    fs::remove(file);
    return outcome;
  }
}

std::string Run::store_images(const torch::Tensor& images, const std::string& name) const {
  base::ensure_directory((directory_ / name).parent_path());
  tensor::save_npy(directory_ / name, images.mul(255).round().clamp(0, 255).to(torch::kUInt8));
  return name;
}

void Run::measure_reconstructions(const attack::Outcome& outcome, results::AttackRecord& record) {
  const auto indices = attacked_indices(attack::Goal::input);
  const auto truth = data::gather(bench_->dataset, indices, torch::kCPU);
  const auto images = outcome.reconstructions.to(torch::kCPU, torch::kFloat32).clamp(0, 1);
  if (images.sizes() != truth.images.sizes())
    throw Error("{} returned reconstructions of the wrong shape", record.spec);
  const auto ssim = metric::ssim(images, truth.images);
  record.measures["ssim"] = ssim.mean().item<double>();
  record.measures["psnr"] = metric::psnr(images, truth.images).mean().item<double>();
  record.measures["mse"] = metric::mse(images, truth.images).mean().item<double>();
  const bool undefended = !config_.model_from.empty() || defense::canonical_defense(config_.defense) == "none";
  if (!judge_ && undefended) judge_ = bench_;
  if (judge_) {
    const torch::NoGradGuard no_grad;
    judge_->model.train(false);
    const auto& net = judge_->model;
    const auto logits =
        net.classifier.forward(net.encoder.forward(net.head.forward(images.to(judge_->runtime.device))));
    record.measures["class_accuracy"] = metric::accuracy(logits.argmax(1).cpu(), truth.labels);
  }
  const auto kept = std::min(config_.evaluate.samples, images.size(0));
  if (kept == 0) return;
  if (record_.originals.empty()) record_.originals = store_images(truth.images.slice(0, 0, kept), kOriginals);
  const auto name = base::content_hash(fmt::format("{}#{}", record.spec, record.seed)).substr(0, 12);
  record.images = store_images(images.slice(0, 0, kept), fmt::format("images/{}-{}.npy", record.name, name));
  for (std::int64_t i = 0; i < kept; ++i) {
    record.samples.push_back({indices[i].item<std::int64_t>(), ssim[i].item<double>()});
  }
}

void Run::measure_predictions(const attack::Outcome& outcome, results::AttackRecord& record) {
  const auto labels = bench_->dataset.labels.index_select(0, attacked_indices(attack::Goal::prediction));
  record.measures["accuracy"] = metric::accuracy(outcome.predictions.cpu(), labels);
}

}  // namespace infoscissors::experiment
