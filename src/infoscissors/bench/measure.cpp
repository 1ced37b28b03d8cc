#include "infoscissors/bench/measure.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/random.h"
#include "infoscissors/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace infoscissors::bench {
namespace {

constexpr double kMillion = 1e6;

std::chrono::nanoseconds nanoseconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

/// A cell's repetitions while they are collected.
struct Series {
  Cell cell;
  Layer* layer = nullptr;
  const Traffic* traffic = nullptr;
  std::vector<double> p50, p99, per_second, client_cpu, server_cpu;

  void add(const Load& load, double server_seconds) {
    const double calls = static_cast<double>(load.micros.size());
    const double rows = calls * (layer->batched() ? static_cast<double>(cell.devices) : 1);
    cell.requests += static_cast<std::uint64_t>(rows);
    if (cell.failures == 0) cell.failure = load.failure;
    cell.failures += load.failures;
    if (load.micros.empty()) return;
    p50.push_back(stats::percentile(load.micros, 0.5));
    p99.push_back(stats::percentile(load.micros, 0.99));
    per_second.push_back(rows / load.seconds);
    client_cpu.push_back(load.cpu_seconds * kMillion / rows);
    server_cpu.push_back(server_seconds * kMillion / rows);
  }

  Cell finish() {
    cell.p50 = figure(p50);
    cell.p99 = figure(p99);
    cell.per_second = figure(per_second);
    cell.client_cpu = figure(client_cpu);
    cell.server_cpu = figure(server_cpu);
    return cell;
  }
};

Load load_once(const Series& series, double seconds, std::uint64_t seed) {
  Layer& layer = *series.layer;
  const Traffic& traffic = *series.traffic;
  if (layer.batched()) {
    return closed_loop([&](std::size_t, std::uint64_t) { layer.call_batch(traffic, series.cell.devices); }, 1,
                       nanoseconds(seconds));
  }
  const Call call = [&](std::size_t worker, std::uint64_t n) { layer.call(traffic, worker, n); };
  if (series.cell.rate > 0) {
    return open_loop(call, series.cell.devices, series.cell.rate, nanoseconds(seconds), seed);
  }
  return closed_loop(call, series.cell.devices, nanoseconds(seconds));
}

void repeat(Series& series, const Plan& plan, std::uint64_t seed) {
  if (base::interrupt_requested()) throw base::Interrupted("interrupted; nothing was written");
  // Before the clock starts: connections, the allocator's arenas, the processor's frequency.
  load_once(series, plan.warm_up, seed + 1);
  const int server = series.layer->server();
  const double before = server != 0 ? process_cpu_seconds(server) : 0;
  const Load load = load_once(series, plan.seconds, seed);
  const double after = server != 0 ? process_cpu_seconds(server) : 0;
  series.add(load, after - before);
}

void run_all(std::vector<Series>& all, std::size_t layers, const Plan& plan) {
  for (std::size_t repetition = 0; repetition < plan.repetitions; ++repetition) {
    for (std::size_t first = 0; first < all.size(); first += layers) {
      for (std::size_t i = 0; i < layers; ++i) {
        Series& series = all[first + (i + repetition) % layers];
        repeat(series, plan, base::derive_seed(plan.seed, "bench", repetition * all.size() + first));
      }
    }
    base::log::info("repetition {} of {}", repetition + 1, plan.repetitions);
  }
}

std::vector<Cell> finish(std::vector<Series>& all) {
  std::vector<Cell> cells;
  for (auto& series : all) {
    if (series.cell.failures > 0) {
      base::log::warning("{}, {}, {} devices: {} requests failed: {}", series.cell.layer, series.cell.encoding,
                         series.cell.devices, series.cell.failures, series.cell.failure);
    }
    cells.push_back(series.finish());
  }
  return cells;
}

/// What the network makes of the encoded sample differs a little from what it makes of the plain one, and by the order
/// of additions in another batch.
void check_same(const std::vector<float>& features, const std::vector<float>& reference, const std::string& who,
                const std::string& whose, double tolerance) {
  double distance = 0, size = 1e-12;
  if (features.size() != reference.size()) {
    throw base::Error("{} answers with {} features where {} has {}", who, features.size(), whose, reference.size());
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    distance += std::pow(static_cast<double>(features[i]) - static_cast<double>(reference[i]), 2);
    size += std::pow(static_cast<double>(reference[i]), 2);
  }
  if (!(std::sqrt(distance / size) <= tolerance)) {
    throw base::Error("{} and {} disagree about the first sample: relative distance {:.3g}", who, whose,
                      std::sqrt(distance / size));
  }
}

std::vector<Series> closed_series(const std::vector<std::unique_ptr<Layer>>& layers,
                                  const std::vector<Traffic>& traffic, const Plan& plan) {
  std::vector<Series> all;
  for (const auto& one : traffic) {
    std::vector<Layer::Bytes> bytes(layers.size());
    std::vector<float> reference;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto features = layers[i]->features(one, bytes[i]);
      if (i == 0) reference = features;
      check_same(features, reference, layers[i]->name(), layers[0]->name(), one.encoding == "int8" ? 0.1 : 0.01);
    }
    for (const auto devices : plan.devices) {
      for (std::size_t i = 0; i < layers.size(); ++i) {
        Series series;
        series.layer = layers[i].get();
        series.traffic = &one;
        series.cell.layer = layers[i]->name();
        series.cell.encoding = one.encoding;
        series.cell.devices = devices;
        series.cell.bytes = bytes[i];
        all.push_back(std::move(series));
      }
    }
  }
  return all;
}

/// The first traffic with the most devices, at rates that every server could answer in the closed loop.
std::vector<Series> open_series(const std::vector<Series>& closed, const std::vector<Cell>& cells, const Plan& plan) {
  const auto devices = *std::max_element(plan.devices.begin(), plan.devices.end());
  const auto fits = [&](std::size_t i) {
    return closed[i].layer->server() != 0 && closed[i].traffic == closed[0].traffic && cells[i].devices == devices &&
           cells[i].per_second.median > 0;
  };
  double slowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (fits(i)) slowest = std::min(slowest, cells[i].per_second.median);
  }
  std::vector<Series> all;
  for (const double share : plan.open_shares) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!fits(i)) continue;
      Series series;
      series.layer = closed[i].layer;
      series.traffic = closed[i].traffic;
      series.cell.layer = cells[i].layer;
      series.cell.encoding = cells[i].encoding;
      series.cell.devices = devices;
      series.cell.bytes = cells[i].bytes;
      series.cell.rate = share * slowest;
      all.push_back(std::move(series));
    }
  }
  return all;
}

base::Json to_json(const Figure& figure) {
  return {{"median", figure.median}, {"low", figure.low}, {"high", figure.high}};
}

}  // namespace

Figure figure(std::vector<double> repetitions) {
  if (repetitions.empty()) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none, none};
  }
  std::sort(repetitions.begin(), repetitions.end());
  return {stats::percentile(repetitions, 0.5), repetitions.front(), repetitions.back()};
}

base::Json to_json(const Cell& cell) {
  return {{"layer", cell.layer},
          {"encoding", cell.encoding},
          {"devices", cell.devices},
          {"loop", cell.rate > 0 ? "open" : "closed"},
          {"rate", cell.rate},
          {"requests", cell.requests},
          {"failures", cell.failures},
          {"failure", cell.failure},
          {"p50_us", to_json(cell.p50)},
          {"p99_us", to_json(cell.p99)},
          {"per_second", to_json(cell.per_second)},
          {"client_cpu_us", to_json(cell.client_cpu)},
          {"server_cpu_us", to_json(cell.server_cpu)},
          {"bytes_sent", cell.bytes.sent},
          {"bytes_received", cell.bytes.received}};
}

std::vector<Cell> measure(const std::vector<std::unique_ptr<Layer>>& layers, const std::vector<Traffic>& traffic,
                          const Plan& plan) {
  auto closed = closed_series(layers, traffic, plan);
  run_all(closed, layers.size(), plan);
  auto cells = finish(closed);
  auto open = open_series(closed, cells, plan);
  if (!open.empty()) run_all(open, open.size() / plan.open_shares.size(), plan);
  for (auto& cell : finish(open)) cells.push_back(std::move(cell));
  return cells;
}

}  // namespace infoscissors::bench
