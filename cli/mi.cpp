#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/log.h"
#include "infoscissors/mi/estimator.h"
#include "infoscissors/tensor/device.h"
#include "infoscissors/tensor/file.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

using base::Json;

struct Arguments {
  std::string x, y;
  std::string kind = "auto";
  std::vector<std::string> estimators;
  double held_out = 0.5;
  std::int64_t permutations = 99;
  bool list = false;
};

const std::map<std::string, mi::Kind>& kinds() {
  static const std::map<std::string, mi::Kind> table = {
      {"auto", mi::Kind::automatic}, {"numbers", mi::Kind::numbers}, {"labels", mi::Kind::labels}};
  return table;
}

std::string interval(const Json& row) {
  const auto number = [](const Json& value) {
    return value.is_null() ? std::string("?") : fmt::format("{:.4f}", value.get<double>());
  };
  return fmt::format("{:>10} {:>10} {:>10}", number(row["value"]), number(row["low"]), number(row["high"]));
}

std::string table(const Json& document) {
  std::string text = fmt::format(
      "{} pairs; nats; 95 % intervals of the sampling error on held-out pairs\n{:<32} {:<8} {:>10} {:>10} {:>10} {:>7} "
      "{:>8}  flags\n",
      document["pairs"].get<std::int64_t>(), "estimator", "bound", "value", "low", "high", "p", "seconds");
  for (const auto& row : document["estimates"]) {
    const auto p = row["p_value"].is_null() ? std::string("-") : fmt::format("{:.2f}", row["p_value"].get<double>());
    text += fmt::format("{:<32} {:<8} {} {:>7} {:>8.2f}  {}\n", row["estimator"].get<std::string>(),
                        row["bound"].get<std::string>(), interval(row), p, row["seconds"].get<double>(),
                        fmt::join(row["flags"].get<std::vector<std::string>>(), ", "));
  }
  return text;
}

std::string list_text(const Json& list) {
  std::string text;
  for (const auto& entry : list) {
    text += fmt::format("{:<14} {:<8} {}\n{:<23} {}\n{:<23} {}\n", entry["name"].get<std::string>(),
                        entry["bound"].get<std::string>(), entry["summary"].get<std::string>(), "",
                        entry["condition"].get<std::string>(), "", entry["source"].get<std::string>());
  }
  return text;
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
  emit(common, list, list_text(list));
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

void measure_all(const Arguments& arguments, const Common& common) {
  if (arguments.x.empty() || arguments.y.empty())
    throw base::UsageError("--x and --y name the .npy files of the two variables (or use --list)");
  for (const auto& text : arguments.estimators) mi::make_estimator(text);  // refuse before work
  const auto runtime = tensor::make_runtime(common.device, common.precision, common.threads);
  const auto x = tensor::load_npy(arguments.x).to(runtime.device);
  const auto y = tensor::load_npy(arguments.y).to(runtime.device);
  const mi::Pairs pairs = mi::make_pairs(x, y, kinds().at(arguments.kind), arguments.x, arguments.y);
  const mi::MeasureOptions options{
      .held_out = arguments.held_out, .permutations = arguments.permutations, .seed = common.seed.value_or(0)};
  Json rows = Json::array();
  for (const auto& text : arguments.estimators) rows.push_back(measure_one(text, pairs, options));
  const Json document = {
      {"pairs", pairs.size()},    {"x_columns", pairs.x.size(1)}, {"y_columns", pairs.labelled() ? 1 : pairs.y.size(1)},
      {"classes", pairs.classes}, {"seed", options.seed},         {"units", "nats"},
      {"estimates", rows}};
  emit(common, document, table(document));
}

}  // namespace

void add_mi(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("mi", "Estimate the mutual information of two variables from paired samples");
  command->footer(
      "Examples:\n  infoscissors mi --x features.npy --y labels.npy\n"
      "  infoscissors mi --x r.npy --y x.npy --estimator 'l1out(hidden=256)' --estimator infonce --json\n"
      "  infoscissors mi --list\n"
      "Without --estimator: the recommended pair, l1out from above and infonce from below. docs/mutual-information.md\n"
      "says what each bounds and when.");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--x", arguments->x, ".npy file, one row a pair");
  command->add_option("--y", arguments->y, ".npy file, one row a pair; a vector of integers is read as labels");
  command->add_option("--y-kind", arguments->kind, "auto, numbers or labels")
      ->check(CLI::IsMember(kinds()))
      ->capture_default_str();
  command->add_option("--estimator", arguments->estimators, "Estimator with options; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--held-out", arguments->held_out, "Share of the pairs that is not fitted")
      ->capture_default_str();
  command->add_option("--permutations", arguments->permutations, "Of the test for any information; 0: none")
      ->capture_default_str();
  command->add_flag("--list", arguments->list, "Every estimator with what it bounds, when, and its source");
  command->callback([arguments, &common] {
    if (arguments->list) return list_estimators(common);
    if (arguments->estimators.empty()) arguments->estimators = {"l1out", "infonce"};
    measure_all(*arguments, common);
  });
}

}  // namespace infoscissors::cli
