#pragma once

#include "infoscissors/attack/attack.h"
#include "infoscissors/experiment/config.h"
#include "infoscissors/experiment/workbench.h"
#include "infoscissors/results/record.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::experiment {

/// One run directory: the resolved configuration, a log, a checkpoint and metrics.json, brought up to date step by
/// step. Whatever is finished is on the disk; whatever is there is not done again.
class Run {
 public:
  /// Starts or continues a run. Throws UsageError for a directory that holds another configuration.
  static Run start(const RunConfig& config, const std::filesystem::path& directory);
  /// Opens an existing one to look at its network; nothing is written to its directory, the log included.
  static Run read(const std::filesystem::path& directory, const RuntimeOptions& runtime);
  /// Opens an existing one to work on; `runtime` replaces where it was computed.
  static Run open(const std::filesystem::path& directory, const RuntimeOptions& runtime);

  /// Trains (or finishes training; with model_from only the defence's own parts, if it has any) and measures accuracy
  /// and cross-entropy on the whole test split. With a group this is rank 0, and the others call assist().
  void train(const ranks::Group* group = nullptr);

  /// Runs one attack and records what it achieved. With the same spec and seed as a recorded one nothing happens,
  /// unless `again`. `seed`: by default the run's.
  const results::AttackRecord& attack(const std::string& spec, std::optional<std::uint64_t> seed, bool again);

  /// Loads the trained network and measures it anew.
  void evaluate();

  /// The undefended network that judges whether a reconstruction still shows its class; by default a run whose network
  /// was trained without a defence judges its own reconstructions, and others are not judged.
  void set_judge(std::shared_ptr<Workbench> judge) { judge_ = std::move(judge); }

  const results::RunRecord& record() const { return record_; }
  const std::filesystem::path& directory() const { return directory_; }
  /// The network with its trained weights.
  std::shared_ptr<Workbench> trained();

 private:
  Run(const RunConfig& config, std::filesystem::path directory, results::RunRecord record);

  void open_log() const;
  train::CheckpointPlace place() const;
  void train_and_measure(const ranks::Group* group);
  void measure();
  void save() const;
  const train::Exposed& exposed(attack::Goal goal);
  const torch::Tensor& measured_indices() const;
  torch::Tensor attacked_indices(attack::Goal goal) const;
  template <class Method>
  attack::Outcome launch(const Method& method, attack::Goal goal, std::uint64_t seed);
  void measure_reconstructions(const attack::Outcome& outcome, results::AttackRecord& record);
  void measure_predictions(const attack::Outcome& outcome, results::AttackRecord& record);
  std::string store_images(const torch::Tensor& images, const std::string& name) const;

  RunConfig config_;
  std::filesystem::path directory_;
  results::RunRecord record_;
  std::shared_ptr<Workbench> bench_;
  std::shared_ptr<Workbench> judge_;
  bool loaded_ = false;
  std::optional<train::Exposed> exposed_input_, exposed_prediction_;
};

/// What the other ranks do while rank 0 calls Run::train: their share of it, unless rank 0 finds nothing to do. Writes
/// nothing.
void assist(const RunConfig& config, const ranks::Group& group);

}  // namespace infoscissors::experiment
