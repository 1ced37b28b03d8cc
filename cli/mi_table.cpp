#include "cli/mi_table.h"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace infoscissors::cli {
namespace {

using base::Json;

constexpr int kQuantity = 11;

std::string number(const Json& value) {
  return value.is_null() ? std::string("?") : fmt::format("{:.4f}", value.get<double>());
}

std::string header() {
  return fmt::format("{:<32} {:<8} {:>10} {:>10} {:>10} {:>7} {:>8}  flags\n", "estimator", "bound", "value", "low",
                     "high", "p", "seconds");
}

std::string line(const Json& row) {
  const auto name = row["estimator"].get<std::string>();
  if (row.contains("reason")) return fmt::format("{:<32} {}\n", name, row["reason"].get<std::string>());
  const auto p = row["p_value"].is_null() ? std::string("-") : fmt::format("{:.2f}", row["p_value"].get<double>());
  return fmt::format("{:<32} {:<8} {:>10} {:>10} {:>10} {:>7} {:>8.2f}  {}\n", name, row["bound"].get<std::string>(),
                     number(row["value"]), number(row["low"]), number(row["high"]), p, row["seconds"].get<double>(),
                     fmt::join(row["flags"].get<std::vector<std::string>>(), ", "));
}

std::string variable(const std::string& name, const Json& described) {
  const auto columns = described["columns"].get<std::int64_t>();
  const auto components = described["components"].get<std::int64_t>();
  if (components == columns) return fmt::format("{}: {} columns", name, columns);
  return fmt::format("{}: {} principal components of {} columns ({:.1f} % of the variance)", name, components, columns,
                     100 * described["explained"].get<double>());
}

}  // namespace

std::string estimator_list(const Json& list) {
  std::string text;
  for (const auto& entry : list) {
    text += fmt::format("{:<14} {:<8} {}\n{:<23} {}\n{:<23} {}\n", entry["name"].get<std::string>(),
                        entry["bound"].get<std::string>(), entry["summary"].get<std::string>(), "",
                        entry["condition"].get<std::string>(), "", entry["source"].get<std::string>());
  }
  return text;
}

std::string array_table(const Json& document) {
  std::string text = fmt::format("{} pairs; nats; 95 % intervals of the sampling error on held-out pairs\n",
                                 document["pairs"].get<std::int64_t>()) +
                     header();
  for (const auto& row : document["estimates"]) text += line(row);
  return text;
}

std::string run_table(const Json& document) {
  const auto& variables = document["variables"];
  std::string text = fmt::format(
      "{}: {} held-out images, {} fitted to and {} estimated on; nats; 95 % intervals of the sampling error\n{}; {}; "
      "{}\n{:<{}} {}",
      document["defense"].get<std::string>(), document["images"].get<std::int64_t>(),
      document["fitted_images"].get<std::int64_t>(), document["estimated_images"].get<std::int64_t>(),
      variable("r", variables["r"]), variable("x", variables["x"]), variable("v", variables["v"]), "quantity",
      kQuantity, header());
  for (const auto& row : document["estimates"])
    text += fmt::format("{:<{}} {}", row["quantity"].get<std::string>(), kQuantity, line(row));
  return text +
         "I(r; x|y) is I(r; x) - I(r; y), a difference and no bound. A lower bound for principal components is one for "
         "the whole; an upper bound is one for the components alone.\n";
}

}  // namespace infoscissors::cli
