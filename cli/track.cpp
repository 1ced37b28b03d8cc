#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/tracking/log.h"

#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

struct TrackArguments {
  std::vector<std::string> sources;
  std::string to;
  std::string out;
  std::string experiment;
  bool figures = true;
};

std::vector<tracking::Image> pictures(const TrackArguments& arguments, const study::Study& study) {
  if (!arguments.figures) return {};
  try {
    return tracking::images_of(study, {});
  } catch (const base::Error& error) {
    base::log::warning("no figures: {}", error.what());
    return {};
  }
}

void track(const TrackArguments& arguments, const Common& common) {
  const auto study = study::load({arguments.sources.begin(), arguments.sources.end()});
  if (study.entries.empty()) {
    throw base::UsageError(
        "training curves lie in run directories, and there is none: a long table holds only what came out");
  }
  std::vector<tracking::Log> logs;
  for (const auto& entry : study.entries) logs.push_back(tracking::log_of(entry));
  const auto images = pictures(arguments, study);
  const auto experiment = !arguments.experiment.empty() ? arguments.experiment
                          : study.name.empty()          ? "infoscissors"
                                                        : study.name;
  const auto written = arguments.to == "mlflow" ? tracking::write_mlflow(logs, images, experiment, arguments.out)
                                                : tracking::write_tensorboard(logs, images, arguments.out);
  emit(common,
       {{"to", arguments.to},
        {"runs", logs.size()},
        {"figures", images.size()},
        {"written", written},
        {"out", arguments.out}},
       fmt::format("{} runs and {} figures written to {}\n", logs.size(), images.size(), arguments.out));
}

}  // namespace

void add_track(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("track", "Runs and figures for TensorBoard or MLflow");
  command->footer(
      "Examples:\n  infoscissors track out/sweep --to tensorboard --out out/events && tensorboard --logdir out/events\n"
      "  infoscissors track out/sweep --to mlflow --out out/mlruns && mlflow ui --backend-store-uri out/mlruns\n"
      "Repeating the command brings both up to date.");
  auto arguments = std::make_shared<TrackArguments>();
  command->add_option("DIR", arguments->sources, "Sweeps, runs or directories of runs")->required();
  command->add_option("--to", arguments->to, "tensorboard or mlflow")
      ->check(CLI::IsMember({"tensorboard", "mlflow"}))
      ->required();
  command->add_option("--out,-o", arguments->out, "Directory that is written to")->required();
  command->add_option("--experiment", arguments->experiment, "MLflow: its name; default: the sweep's");
  command->add_flag("--figures,!--no-figures", arguments->figures, "Figures as pictures, too")->capture_default_str();
  command->callback([arguments, &common] { track(*arguments, common); });
}

}  // namespace infoscissors::cli
