#include "infoscissors/mi/pairs.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <unordered_set>

namespace infoscissors::mi {
namespace {

using base::Error;

void check_finite(const torch::Tensor& table, const std::string& name) {
  const auto wrong = table.isfinite().logical_not().any(1);
  const auto rows = wrong.sum().item<std::int64_t>();
  if (rows == 0) return;
  throw Error("{}: {} of {} rows hold NaN or infinity, the first is row {}", name, rows, table.size(0),
              wrong.to(torch::kInt64).argmax().item<std::int64_t>());
}

struct Standardised {
  torch::Tensor values, scale;
};

// In double precision before rounding to float: a large offset must not eat the digits that vary.
Standardised standardise(const torch::Tensor& raw, const std::string& name) {
  const auto table = raw.flatten(1).to(torch::kFloat64);
  if (table.size(1) == 0) throw Error("{}: it has no columns", name);
  check_finite(table, name);
  const auto centred = table - table.mean(0, true);
  const auto largest = std::get<0>(centred.abs().max(0, true));
  const auto safe = torch::where(largest > 0, largest, torch::ones_like(largest));
  const auto unit = centred / safe;  // squares of large numbers must not overflow
  const auto deviation = unit.square().mean(0, true).sqrt();
  // Rounding leaves dust on a constant column of large numbers.
  const auto varies = largest > 1e-13 * std::get<0>(table.abs().max(0, true));
  if (!varies.any().item<bool>()) throw Error("{}: every column is constant; the information is 0 by definition", name);
  const auto values = torch::where(varies, unit / torch::where(varies, deviation, torch::ones_like(deviation)),
                                   torch::zeros_like(unit));
  return {values.to(torch::kFloat32), torch::where(varies, deviation * safe, torch::zeros_like(safe)).squeeze(0)};
}

bool is_integer(const torch::Tensor& tensor) {
  return c10::isIntegralType(tensor.scalar_type(), /*includeBool=*/true);
}

void assign_labels(Pairs& pairs, const torch::Tensor& y, const std::string& name) {
  auto flat = y.flatten();
  if (flat.size(0) != pairs.size()) throw Error("{}: labels must be one number a pair", name);
  if (!is_integer(flat)) {
    check_finite(flat.unsqueeze(1), name);
    if (!torch::equal(flat, flat.round())) throw Error("{}: labels must be whole numbers", name);
  }
  const auto [values, inverse, counts] = at::_unique2(flat.to(torch::kInt64), /*sorted=*/true, /*return_inverse=*/true);
  pairs.classes = values.size(0);
  if (pairs.classes < 2)
    throw Error("{}: all labels are {}; one class carries no information", name, values[0].item<std::int64_t>());
  if (2 * pairs.classes > pairs.size()) {
    throw Error("{}: {} different labels in {} pairs; these are not classes (read them as numbers)", name,
                pairs.classes, pairs.size());
  }
  pairs.labels = inverse;
  pairs.y = standardise(torch::one_hot(inverse, pairs.classes), name).values;
}

std::string row_key(const torch::Tensor& table, std::int64_t row) {
  const auto width = static_cast<std::size_t>(table.size(1)) * sizeof(float);
  return {reinterpret_cast<const char*>(table.data_ptr<float>()) + static_cast<std::size_t>(row) * width, width};
}

std::vector<std::uint64_t> row_hashes(const Pairs& pairs) {
  const auto x = pairs.x.cpu().contiguous();
  const auto y = pairs.y.cpu().contiguous();
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(pairs.size()));
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    hashes[i] = base::hash64(row_key(y, row), base::hash64(row_key(x, row)));
  }
  return hashes;
}

}  // namespace

Pairs Pairs::select(const torch::Tensor& index) const {
  Pairs some = *this;
  some.x = x.index_select(0, index);
  some.y = y.index_select(0, index);
  if (labels.defined()) some.labels = labels.index_select(0, index);
  return some;
}

Pairs Pairs::with_y_permuted(const torch::Tensor& index) const {
  Pairs other = select(index);
  other.x = x;
  return other;
}

Pairs make_pairs(const torch::Tensor& x, const torch::Tensor& y, Kind kind, const std::string& x_name,
                 const std::string& y_name) {
  if (x.dim() < 1 || y.dim() < 1) throw Error("{} and {} must hold one row a pair", x_name, y_name);
  if (x.size(0) != y.size(0)) throw Error("{} has {} rows, but {} has {}", x_name, x.size(0), y_name, y.size(0));
  if (x.size(0) < kFewestPairs)
    throw Error("{}: {} pairs are too few, at least {} are needed", x_name, x.size(0), kFewestPairs);
  Pairs pairs;
  pairs.x = standardise(x.dim() == 1 ? x.unsqueeze(1) : x, x_name).values;
  const bool vector = y.numel() == y.size(0);
  if (kind == Kind::labels || (kind == Kind::automatic && vector && is_integer(y))) {
    assign_labels(pairs, y, y_name);
    return pairs;
  }
  auto standardised = standardise(y.dim() == 1 ? y.unsqueeze(1) : y, y_name);
  pairs.y = standardised.values;
  pairs.y_scale = standardised.scale.to(torch::kFloat32);
  return pairs;
}

Split split_pairs(const Pairs& pairs, double held_out, std::uint64_t seed) {
  if (!(held_out > 0 && held_out < 1))
    throw base::UsageError("[mi] the held-out share must be in (0, 1), got {}", held_out);
  auto generator = tensor::make_generator(torch::kCPU, seed, "mi/split");
  const auto order = torch::randperm(pairs.size(), generator, torch::TensorOptions(torch::kInt64)).to(pairs.x.device());
  const auto wanted = static_cast<std::int64_t>(static_cast<double>(pairs.size()) * held_out);
  const auto fewest = std::min(kFewestPairs / 2, pairs.size() / 2);
  const auto count = std::clamp(wanted, fewest, pairs.size() - fewest);
  return {pairs.select(order.slice(0, count)), pairs.select(order.slice(0, 0, count))};
}

double duplicate_share(const Pairs& fitted, const Pairs& held_out) {
  const auto known = row_hashes(fitted);
  const std::unordered_set<std::uint64_t> seen(known.begin(), known.end());
  const auto rows = row_hashes(held_out);
  const auto count = std::count_if(rows.begin(), rows.end(), [&](std::uint64_t row) { return seen.contains(row); });
  return static_cast<double>(count) / static_cast<double>(rows.size());
}

std::int64_t constant_columns(const Pairs& pairs) {
  std::int64_t count = pairs.x.eq(0).all(0).sum().item<std::int64_t>();
  if (!pairs.labelled()) count += pairs.y.eq(0).all(0).sum().item<std::int64_t>();
  return count;
}

double label_entropy(const Pairs& pairs) {
  const auto p = pairs.labels.bincount({}, pairs.classes).to(torch::kFloat64) / static_cast<double>(pairs.size());
  return -torch::xlogy(p, p).sum().item<double>();
}

}  // namespace infoscissors::mi
