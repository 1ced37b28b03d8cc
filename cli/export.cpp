#include "cli/command.h"
#include "cli/run_options.h"

#include "infoscissors/base/log.h"
#include "infoscissors/defense/site.h"
#include "infoscissors/experiment/run.h"
#include "infoscissors/exporter/bundle.h"

#include <memory>
#include <string>

namespace infoscissors::cli {
namespace {

struct ExportArguments {
  std::string run;
  std::string out;
  std::string name = "encoder";
  bool force = false;
};

/// A server that computes v itself sees it before the device perturbs it.
void warn_of_feature(experiment::Workbench& bench, const std::string& release) {
  if (release == "none") return;
  const torch::NoGradGuard no_grad;
  auto generator = tensor::make_generator(bench.runtime.device, 0, "probe");
  auto sizes = bench.model.encoder.output;
  sizes.insert(sizes.begin(), 1);
  const auto v = torch::zeros(sizes, torch::TensorOptions(bench.runtime.device));
  const auto released = bench.defense->release(v, defense::Site::feature, defense::Phase::serve, generator, {});
  if (released.is_same(v)) return;
  base::log::warning(
      "{} changes the feature, too: the device does so when it receives it, and the server that computed it knows it "
      "unchanged",
      release);
}

void export_run(const ExportArguments& arguments, const Common& common) {
  auto run = experiment::Run::read(arguments.run, runtime_of(common));
  const auto bench = run.trained();
  const exporter::Source source{.model = bench->model,
                                .defense = *bench->defense,
                                .specs = bench->config.defense,
                                .context = experiment::defense_context(*bench),
                                .classes = bench->dataset.classes,
                                .mean = bench->task.mean,
                                .std = bench->task.std};
  const auto existing = arguments.force ? exporter::Existing::replace : exporter::Existing::refuse;
  const auto halves = exporter::write_bundle(source, arguments.name, arguments.out, existing);
  const auto& facts = *halves.device.device;
  warn_of_feature(*bench, facts.release);
  const base::Json document = {{"bundle", arguments.out},
                               {"model", halves.server.model},
                               {"version", halves.server.version},
                               {"defense", facts.defense},
                               {"release", facts.release}};
  emit(common, document,
       fmt::format("{}: model {}, version {}\n  device/  head, release step ({}), classifier\n  server/  encoder\n",
                   arguments.out, halves.server.model, halves.server.version, facts.release));
}

}  // namespace

void add_export(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("export", "Write a trained run as a bundle for a device and a server");
  command->footer(
      "Examples:\n  infoscissors export out/input --out bundle\n"
      "  infoscissors export out/input --out bundle --name boots --force\n"
      "BUNDLE/server goes to the server and holds the encoder alone; BUNDLE/device stays on the devices.\n"
      "docs/device.md describes both.");
  auto arguments = std::make_shared<ExportArguments>();
  command->add_option("run", arguments->run, "Run directory with a trained network")->required();
  command->add_option("--out", arguments->out, "Where the bundle goes")->required();
  command->add_option("--name", arguments->name, "Name under which the encoder is served; the server sees it")
      ->capture_default_str();
  command->add_flag("--force", arguments->force, "Replace a bundle that is there already (never anything else)");
  command->callback([arguments, &common] { export_run(*arguments, common); });
}

}  // namespace infoscissors::cli
