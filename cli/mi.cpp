#include "cli/mi_table.h"
#include "cli/run_options.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/data/array.h"
#include "infoscissors/experiment/information.h"
#include "infoscissors/mi/estimator.h"
#include "infoscissors/tensor/device.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

using base::Json;

struct MiArguments {
  std::string run;
  std::string x, y;
  std::string kind = "auto";
  std::vector<std::string> estimators;
  double held_out = 0.5;
  std::int64_t permutations = 99;
  std::int64_t images = 4000;
  std::int64_t columns = 64;
  bool list = false;
};

const std::map<std::string, mi::Kind>& kinds() {
  static const std::map<std::string, mi::Kind> kTable = {
      {"auto", mi::Kind::automatic}, {"numbers", mi::Kind::numbers}, {"labels", mi::Kind::labels}};
  return kTable;
}

void list_estimators(const Common& common) {
  Json list = Json::array();
  for (const auto& entry : mi::registry().entries()) {
    Json one = {{"name", entry.doc.name},
                {"summary", entry.doc.summary},
                {"source", entry.doc.source},
                {"options", entry.options}};
    one.update(entry.traits);
    list.push_back(std::move(one));
  }
  emit(common, list, estimator_list(list));
}

Json measure_one(const std::string& text, const mi::Pairs& pairs, const mi::MeasureOptions& options) {
  const auto spec = base::parse_spec(text);
  const auto begin = std::chrono::steady_clock::now();
  const auto estimator = mi::registry().make(spec);
  const mi::Estimate estimate = mi::measure(*estimator, pairs, options);
  Json row = mi::to_json(estimate);
  row["estimator"] = mi::registry().find(spec.name).canonical(spec);
  row["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  row["warnings"] = estimate.health.warnings(row["estimator"].get<std::string>());
  for (const auto& warning : row["warnings"]) base::log::warning("{}", warning.get<std::string>());
  return row;
}

void measure_arrays(const MiArguments& arguments, const Common& common) {
  const auto runtime = tensor::make_runtime(common.device, common.precision, common.threads);
  const auto x = data::load_array(arguments.x).to(runtime.device);
  const auto y = data::load_array(arguments.y).to(runtime.device);
  const mi::Pairs pairs = mi::make_pairs(x, y, kinds().at(arguments.kind), arguments.x, arguments.y);
  const mi::MeasureOptions options{
      .held_out = arguments.held_out, .permutations = arguments.permutations, .seed = common.seed.value_or(0)};
  Json rows = Json::array();
  for (const auto& text : arguments.estimators) rows.push_back(measure_one(text, pairs, options));
  const Json document = {
      {"pairs", pairs.size()},    {"x_columns", pairs.x.size(1)}, {"y_columns", pairs.labelled() ? 1 : pairs.y.size(1)},
      {"classes", pairs.classes}, {"seed", options.seed},         {"units", "nats"},
      {"estimates", rows}};
  emit(common, document, array_table(document));
}

void measure_run(const MiArguments& arguments, const Common& common) {
  auto run = experiment::Run::open(arguments.run, runtime_of(common));
  const experiment::InformationOptions options{.estimators = arguments.estimators,
                                               .images = arguments.images,
                                               .held_out = arguments.held_out,
                                               .columns = arguments.columns,
                                               .permutations = arguments.permutations,
                                               .seed = common.seed.value_or(run.record().seed)};
  const auto bench = run.trained();
  const auto chosen = experiment::hold_out(*bench, options.images, options.held_out, mi::kFewestPairs, options.seed);
  const auto variables = experiment::expose_variables(*bench, chosen, options.columns, options.seed);
  Json rows = Json::array();
  for (const auto& row : experiment::measure_information(variables, chosen.fitted, options, bench->runtime.device))
    rows.push_back(experiment::to_json(row));
  const Json document = {{"run", arguments.run},
                         {"defense", run.record().defense},
                         {"config_hash", run.record().config_hash},
                         {"images", chosen.size()},
                         {"fitted_images", chosen.fitted},
                         {"estimated_images", chosen.estimated()},
                         {"variables", variables.described},
                         {"seed", options.seed},
                         {"units", "nats"},
                         {"estimates", rows}};
  emit(common, document, run_table(document));
}

void measure(const MiArguments& arguments, const Common& common) {
  const bool arrays = !arguments.x.empty() || !arguments.y.empty();
  if (arrays == !arguments.run.empty() || (arrays && (arguments.x.empty() || arguments.y.empty()))) {
    throw base::UsageError("give a run directory, or --x and --y, the .npy or .npz files of two variables (or --list)");
  }
  for (const auto& text : arguments.estimators) mi::make_estimator(text);  // refuse before work
  arrays ? measure_arrays(arguments, common) : measure_run(arguments, common);
}

}  // namespace

void add_mi(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("mi", "Estimate the mutual information on a run's wire, or of any two variables");
  command->footer(
      "Examples:\n  infoscissors mi out/input\n"
      "  infoscissors mi out/input --estimator l1out --estimator infonce --estimator club --images 8000 --json\n"
      "  infoscissors mi --x pairs.npz:x --y pairs.npz:y\n"
      "  infoscissors mi --x r.npy --y labels.npy --estimator 'l1out(hidden=256)'\n"
      "  infoscissors mi --list\n"
      "Of a run: I(r; x), I(r; y), I(v; y), I(v; x) and I(r; x|y), on images of its validation and test split, which\n"
      "neither the network was trained on nor the attacker owns. Without --estimator: the recommended pair, l1out "
      "from\n"
      "above and infonce from below. docs/mutual-information.md says what each bounds and when.");
  auto arguments = std::make_shared<MiArguments>();
  command->add_option("run", arguments->run, "Run directory with a trained network");
  command->add_option("--x", arguments->x, ".npy file or .npz:NAME, one row a pair");
  command->add_option("--y", arguments->y, "The same; a vector of integers is read as labels");
  command->add_option("--y-kind", arguments->kind, "With --y: auto, numbers or labels")
      ->check(CLI::IsMember(kinds()))
      ->capture_default_str();
  command->add_option("--estimator", arguments->estimators, "Estimator with options; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--held-out", arguments->held_out, "Share of the pairs that is not fitted but estimated on")
      ->capture_default_str();
  command->add_option("--permutations", arguments->permutations, "Of the test for any information; 0: none")
      ->capture_default_str();
  command->add_option("--images", arguments->images, "Of a run: held-out images, at most")
      ->check(CLI::Range(2 * mi::kFewestPairs, std::int64_t{1} << 30))
      ->capture_default_str();
  command->add_option("--columns", arguments->columns, "Of a run: principal components of r and of x")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--list", arguments->list, "Every estimator with what it bounds, when, and its source");
  command->callback([arguments, &common] {
    if (arguments->list) return list_estimators(common);
    if (arguments->estimators.empty()) arguments->estimators = {"l1out", "infonce"};
    measure(*arguments, common);
  });
}

}  // namespace infoscissors::cli
