#include "infoscissors/experiment/information.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/mi/components.h"

#include <algorithm>
#include <chrono>

namespace infoscissors::experiment {
namespace {

using base::Json;

constexpr std::int64_t kPiece = 1000;  // images exposed at once; the first piece fits the components

struct Quantity {
  const char* name;
  const char* x_name;
  const char* y_name;
  const torch::Tensor& x;
  const torch::Tensor& y;
};

Json describe(const mi::Components& components) {
  return {{"columns", components.columns}, {"components", components.count()}, {"explained", components.explained}};
}

InformationRow measure_one(const Quantity& quantity, const std::string& text, std::int64_t fitted,
                           const InformationOptions& options, const torch::Device& device) {
  const auto spec = base::parse_spec(text);
  InformationRow row;
  row.quantity = quantity.name;
  row.estimator = mi::registry().find(spec.name).canonical(spec);
  const auto begin = std::chrono::steady_clock::now();
  try {
    const auto estimator = mi::registry().make(spec);
    const auto pairs = mi::make_pairs(quantity.x.to(device), quantity.y.to(device), mi::Kind::automatic,
                                      quantity.x_name, quantity.y_name);
    const auto index = torch::arange(pairs.size(), torch::TensorOptions(torch::kInt64).device(device));
    const mi::Split parts{pairs.select(index.slice(0, 0, fitted)), pairs.select(index.slice(0, fitted))};
    row.estimate = mi::measure(
        *estimator, parts, {.held_out = options.held_out, .permutations = options.permutations, .seed = options.seed});
    row.estimated = true;
  } catch (const base::Interrupted&) {
    throw;
  } catch (const base::Error& error) {
    row.reason = error.what();
    base::log::warning("{} by {}: {}", row.quantity, row.estimator, row.reason);
  }
  row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const auto& line : row.estimate.health.warnings(row.quantity + " by " + row.estimator))
    base::log::warning("{}", line);
  return row;
}

InformationRow difference(const InformationRow& whole, const InformationRow& task) {
  InformationRow row;
  row.quantity = "I(r; x|y)";
  row.estimator = whole.estimator;
  row.estimated = whole.estimated && task.estimated;
  if (!row.estimated) {
    row.reason = "needs I(r; x) and I(r; y)";
    return row;
  }
  const auto& a = whole.estimate;
  const auto& b = task.estimate;
  row.estimate.value = a.value - b.value;
  row.estimate.low = a.low - b.high;
  row.estimate.high = a.high - b.low;
  row.estimate.pairs = a.pairs;
  mi::Health& health = row.estimate.health;
  health.value = row.estimate.value;
  health.negative = row.estimate.value < 0;
  for (const auto flag :
       {&mi::Health::not_finite, &mi::Health::saturated, &mi::Health::ceiling, &mi::Health::unconverged,
        &mi::Health::overfitted, &mi::Health::small_sample, &mi::Health::duplicates, &mi::Health::unreliable_variance})
    health.*flag = a.health.*flag || b.health.*flag;
  health.pairs = a.health.pairs;
  row.estimate.details = Json::object();
  return row;
}

}  // namespace

Variables expose_variables(Workbench& bench, const HeldOut& chosen, std::int64_t columns, std::uint64_t seed) {
  std::vector<torch::Tensor> x, y, r, v;
  mi::Components of_x, of_r;
  Variables variables;
  for (std::int64_t begin = 0; begin < chosen.size();) {
    // The first piece fits the components, so it must not reach into what is estimated on.
    const auto end =
        begin < chosen.fitted ? std::min(begin + kPiece, chosen.fitted) : std::min(begin + kPiece, chosen.size());
    const auto indices = chosen.indices.slice(0, begin, end);
    const auto batch = data::gather(bench.dataset, indices, torch::kCPU);
    const auto exposed = train::expose(bench.subject(), indices, bench.runtime,
                                       base::derive_seed(seed, "information", static_cast<std::uint64_t>(begin)));
    if (begin == 0) {
      of_x = mi::fit_components(batch.images, columns);
      of_r = mi::fit_components(exposed.representations, columns);
      variables.described = {{"x", describe(of_x)}, {"r", describe(of_r)}};
    }
    x.push_back(of_x(batch.images));
    y.push_back(batch.labels);
    r.push_back(of_r(exposed.representations));
    v.push_back(exposed.features.flatten(1));
    begin = end;
  }
  variables.x = torch::cat(x);
  variables.y = torch::cat(y);
  variables.r = torch::cat(r);
  variables.v = torch::cat(v);
  variables.described["v"] = {
      {"columns", variables.v.size(1)}, {"components", variables.v.size(1)}, {"explained", 1.0}};
  return variables;
}

std::vector<InformationRow> measure_information(const Variables& variables, std::int64_t fitted,
                                                const InformationOptions& options, const torch::Device& device) {
  const auto& [x, y, r, v, described] = variables;
  std::vector<InformationRow> rows;
  for (const auto& text : options.estimators) {
    const auto measure = [&](const Quantity& quantity) {
      rows.push_back(measure_one(quantity, text, fitted, options, device));
      return rows.back();
    };
    const auto input = measure({"I(r; x)", "r", "x", r, x});
    const auto task = measure({"I(r; y)", "r", "y", r, y});
    rows.push_back(difference(input, task));
    measure({"I(v; y)", "v", "y", v, y});
    measure({"I(v; x)", "v", "x", v, x});
  }
  const auto rank = [](const InformationRow& row) {
    static const std::vector<std::string> order = {"I(r; x)", "I(r; y)", "I(r; x|y)", "I(v; y)", "I(v; x)"};
    return std::find(order.begin(), order.end(), row.quantity) - order.begin();
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return rows;
}

Json to_json(const InformationRow& row) {
  Json document = row.estimated ? mi::to_json(row.estimate) : Json{{"reason", row.reason}};
  document["quantity"] = row.quantity;
  document["estimator"] = row.estimator;
  document["seconds"] = row.seconds;
  return document;
}

}  // namespace infoscissors::experiment
