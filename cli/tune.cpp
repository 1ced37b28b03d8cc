#include "infoscissors/tune/tune.h"

#include "cli/run_options.h"
#include "cli/sweep.h"

#include "infoscissors/base/error.h"
#include "infoscissors/experiment/certify.h"
#include "infoscissors/report/html.h"
#include "infoscissors/results/measure.h"

namespace infoscissors::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;

struct TuneArguments {
  RunArguments run;
  tune::TuneOptions options;
  std::int64_t jobs = 0;
  bool dry_run = false;
};

Json to_json(const tune::Schedule& schedule) {
  Json rungs = Json::array();
  for (const auto& rung : schedule.rungs)
    rungs.push_back({{"epochs", rung.epochs}, {"enter", rung.enter}, {"keep", rung.keep}});
  return {{"settings", schedule.settings}, {"attacks", schedule.attacks},      {"rungs", rungs},
          {"seeds", schedule.seeds},       {"networks", schedule.trainings()}, {"search_seeds", schedule.search_seeds}};
}

std::string text_of(const tune::Schedule& schedule) {
  auto text = fmt::format("{} settings\n", schedule.settings.size());
  for (const auto& setting : schedule.settings) text += fmt::format("  {}\n", setting);
  text += fmt::format("against {}\n", fmt::join(schedule.attacks, ", "));
  for (std::size_t i = 0; i < schedule.rungs.size(); ++i) {
    const auto& rung = schedule.rungs[i];
    text += fmt::format("rung {}: {} settings, {} epochs, keeps {}\n", i + 1, rung.enter, rung.epochs, rung.keep);
  }
  return text +
         fmt::format("final: seeds {}\n{} networks in all\n", fmt::join(schedule.seeds, " "), schedule.trainings());
}

std::string accuracy(double mean, double half_width) {
  return results::measure_text("accuracy", mean, half_width);
}

std::string text_of(const std::string& goal, const tune::Leak& leak) {
  const auto value = results::measure_text(results::main_measure(goal), leak.value.mean, leak.value.half_width);
  return goal == "input" ? "SSIM " + value : value + " of labels";
}

std::string text_of(const tune::Outcome& outcome, const tune::TuneOptions& options, const fs::path& out) {
  const auto& verdict = outcome.verdict;
  const auto& own = verdict.measured.accuracy;
  const auto& undefended = outcome.reference.accuracy;
  auto text = fmt::format("{}\n", verdict.measured.defense);
  text += fmt::format("  accuracy   {}, undefended {}\n", accuracy(own.mean, own.half_width),
                      accuracy(undefended.mean, undefended.half_width));
  text += fmt::format("  lost       {}, {:.1f} allowed\n", accuracy(verdict.loss, outcome.loss_half),
                      100 * options.max_accuracy_loss);
  for (const auto& [goal, leak] : verdict.measured.leaks) {
    text += fmt::format("  {:<10} {} by {}, undefended {}\n", goal, text_of(goal, leak), leak.attack,
                        text_of(goal, outcome.reference.leaks.at(goal)));
  }
  text += fmt::format("  network    {}\n", outcome.network.string());
  return text + fmt::format("  report     {}\n", (out / "report.html").string());
}

/// The network's certificate, and one page for it beside the undefended one.
void conclude(const tune::Outcome& outcome, const fs::path& out, const Common& common) {
  auto run = experiment::Run::open(outcome.network, runtime_of(common));
  const auto& record = run.record();
  if (!results::load_certificates(run.directory(), record)) {
    experiment::CertifyOptions options;
    options.seed = record.seed;
    const auto certificates = experiment::certify(run.trained(), record.config_hash, options);
    results::save_certificates(run.directory(), certificates, record);
  }
  report::write_report({outcome.undefended, outcome.network}, out / "report.html");
}

void run_tune(const TuneArguments& arguments, const Common& common) {
  const auto& options = arguments.options;
  const fs::path out = arguments.run.out;
  const auto schedule = tune::plan(resolve(arguments.run, common), options);
  if (arguments.dry_run) {
    emit(common, to_json(schedule), text_of(schedule));
    return;
  }
  const auto outcome = tune::search(schedule, options, out, schedule_options(arguments.jobs, common));
  conclude(outcome, out, common);
  emit(common, base::read_json(out / tune::kTuneFile), text_of(outcome, options, out));
  if (outcome.verdict.within) return;
  throw base::Error("the best setting loses {:.1f} points of accuracy where {:.1f} are allowed",
                    100 * outcome.verdict.loss, 100 * options.max_accuracy_loss);
}

void add_search_options(CLI::App& command, tune::TuneOptions& options) {
  command
      .add_option("--max-accuracy-loss", options.max_accuracy_loss,
                  "Accuracy that may be lost against the undefended network; 0.03: three points")
      ->check(CLI::Range(0.0001, 1.0))
      ->capture_default_str();
  command.add_option("--goal", options.goal, "What to protect: input, prediction or both")
      ->check(CLI::IsMember({"input", "prediction", "both"}))
      ->capture_default_str();
  command.add_option("--against", options.against, "Attackers: strong, paper, or config, those of the configuration")
      ->check(CLI::IsMember({"strong", "paper", "config"}))
      ->capture_default_str();
  command.add_option(
      "--space", options.space,
      "Settings, alternatives in braces: 'mid(beta={1e-4|1e-3})'; without it the configuration's defence "
      "with each of its strengths times 1/4 to 4");
  command.add_option("--trials", options.trials, "Settings to try at most, drawn at random from more")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("--rungs", options.rungs, "Rounds of halving")->check(CLI::Range(1, 10))->capture_default_str();
  command.add_option("--eta", options.eta, "Each round trains this many times longer and keeps one in this many")
      ->check(CLI::Range(2, 10))
      ->capture_default_str();
  command.add_option("--search-seeds", options.search_seeds, "Networks by which a setting is judged")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command.add_option("--seeds", options.seeds, "Networks on which the result is measured")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
}

}  // namespace

void add_tune(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("tune", "Search a defence's options for the least leakage at an accuracy");
  command->footer(
      "Examples:\n"
      "  infoscissors tune configs/demo/input.toml --max-accuracy-loss 0.03 --against strong --out out/tuned\n"
      "  infoscissors tune configs/demo/none.toml --space 'mid(beta={1e-5|1e-4|1e-3})' --out out/mid --dry-run\n"
      "Settings are judged on the validation split with seeds of their own. The best is trained and measured anew on\n"
      "the test split, certified and reported. Interrupted or killed, the same command goes on. Status 1: it loses "
      "more\n"
      "accuracy than allowed.");
  auto arguments = std::make_shared<TuneArguments>();
  command->add_option("config", arguments->run.config, "Configuration (TOML)")->required();
  command->add_option("--out", arguments->run.out, "Directory of the search, created or continued")->required();
  command->add_option("--set", arguments->run.set, "Replace one key: --set train.epochs=3")
      ->take_all()
      ->allow_extra_args(false);
  add_search_options(*command, arguments->options);
  command->add_option("--jobs", arguments->jobs, "Processes at once; 0: as many as cores and memory allow")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--dry-run", arguments->dry_run, "Print the settings and rungs, run nothing");
  command->callback([arguments, &common] { run_tune(*arguments, common); });
}

}  // namespace infoscissors::cli
