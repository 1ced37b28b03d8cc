#include "infoscissors/bench/report.h"

#include "infoscissors/base/machine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace infoscissors::bench {
namespace {

using base::Json;

constexpr double kMillisecond = 1000;

const Cell* find(const Report& report, const std::string& layer, const std::string& encoding, std::size_t devices) {
  for (const auto& cell : report.cells) {
    if (cell.layer == layer && cell.encoding == encoding && cell.devices == devices && cell.rate == 0) return &cell;
  }
  return nullptr;
}

std::optional<double> accuracy_of(const Report& report, const std::string& layer, const std::string& encoding) {
  for (const auto& one : report.accuracies) {
    if (one.layer == layer && one.encoding == encoding) return one.share;
  }
  return std::nullopt;
}

/// Microseconds with three significant digits, the larger ones as milliseconds.
std::string time(double micros) {
  if (std::isnan(micros)) return "-";
  if (micros >= 10 * kMillisecond) return fmt::format("{:.3g} ms", micros / kMillisecond);
  return fmt::format("{:.0f} µs", micros);
}

std::string time(const Figure& figure) {
  if (std::isnan(figure.median)) return "-";
  return fmt::format("{} ({} to {})", time(figure.median), time(figure.low), time(figure.high));
}

std::string count(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.0f}", value);
}

std::string row(const std::vector<std::string>& columns) {
  return fmt::format("| {} |\n", fmt::join(columns, " | "));
}

std::string head(const std::vector<std::string>& columns) {
  std::string rule = "|";
  for (std::size_t i = 0; i < columns.size(); ++i) rule += "---|";
  return row(columns) + rule + "\n";
}

std::string server_cpu(const Cell& cell) {
  return cell.server_cpu.median > 0 ? time(cell.server_cpu.median) : "-";
}

std::string closed_table(const Report& report) {
  auto text = head({"devices", "layer", "encoding", "p50 (range)", "p99 (range)", "requests/s", "CPU server",
                    "CPU here", "sent", "received", "failed"});
  auto cells = report.cells;
  std::stable_sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.devices < b.devices; });
  for (const auto& cell : cells) {
    if (cell.rate > 0) continue;
    text += row({std::to_string(cell.devices), cell.layer, cell.encoding, time(cell.p50), time(cell.p99),
                 count(cell.per_second.median), server_cpu(cell), time(cell.client_cpu.median),
                 cell.bytes.sent == 0 ? "-" : std::to_string(cell.bytes.sent),
                 cell.bytes.sent == 0 ? "-" : std::to_string(cell.bytes.received), std::to_string(cell.failures)});
  }
  return text;
}

std::string open_table(const Report& report) {
  auto text = head({"rate, requests/s", "layer", "p50 (range)", "p99 (range)", "answered/s", "failed"});
  bool any = false;
  for (const auto& cell : report.cells) {
    if (cell.rate == 0) continue;
    any = true;
    text += row({count(cell.rate), cell.layer, time(cell.p50), time(cell.p99), count(cell.per_second.median),
                 std::to_string(cell.failures)});
  }
  return any ? "Open loop (Poisson arrivals, latency from the moment a request was due), fp32:\n\n" + text + "\n" : "";
}

std::string accuracy_table(const Report& report) {
  if (report.accuracies.empty()) return "";
  auto text = fmt::format("Accuracy on {} test images, the same draws of the defence each time:\n\n",
                          report.accuracies.front().images);
  text += head({"layer", "encoding", "accuracy"});
  for (const auto& one : report.accuracies) {
    text += row({one.layer, one.encoding, fmt::format("{:.2f} %", 100 * one.share)});
  }
  return text + "\n";
}

std::string bars_table(const Report& report) {
  const auto all = bars(report);
  if (all.empty()) return "";
  auto text = head({"bar", "measured", "wanted", "met"});
  for (const auto& bar : all) {
    text +=
        row({bar.text, fmt::format("{:.4g}", bar.measured), fmt::format("{:.4g}", bar.bar), bar.met ? "yes" : "no"});
  }
  return text + "\n";
}

Json cells_json(const Report& report) {
  Json cells = Json::array();
  for (const auto& cell : report.cells) cells.push_back(to_json(cell));
  return cells;
}

void add_latency_bar(const Report& report, std::vector<Bar>& all) {
  const auto* bare = find(report, kBare, "fp32", 1);
  const auto* grpc = find(report, kGrpc, "fp32", 1);
  if (!bare || !grpc) return;
  const double added = grpc->p50.median - bare->p50.median;
  all.push_back({fmt::format("gRPC's p50 above the bare network's, one device, {} bytes, in µs", grpc->bytes.sent),
                 added, 150, added <= 150});
}

void add_throughput_bar(const Report& report, std::vector<Bar>& all) {
  std::size_t most = 0;
  for (const auto& cell : report.cells) most = std::max(most, cell.devices);
  const auto* bare = find(report, kBare, "fp32", most);
  if (!bare || most < 2) return;
  for (const char* layer : {kInProcess, kGrpc}) {
    const auto* cell = find(report, layer, "fp32", most);
    if (!cell) continue;
    const double share = cell->per_second.median / bare->per_second.median;
    all.push_back(
        {fmt::format("throughput {}, {} devices, as a share of the bare call with {} rows", layer, most, most), share,
         0.95, share >= 0.95});
  }
}

void add_int8_bars(const Report& report, std::vector<Bar>& all) {
  const auto* plain = find(report, kGrpc, "fp32", 1);
  const auto* small = find(report, kGrpc, "int8", 1);
  if (plain && small) {
    const double factor = static_cast<double>(plain->bytes.sent) / static_cast<double>(small->bytes.sent);
    all.push_back({"bytes sent in fp32 by those in int8 (4 without names and scales)", factor, 3.8, factor >= 3.8});
  }
  const auto exact = accuracy_of(report, kGrpc, "fp32"), quantised = accuracy_of(report, kGrpc, "int8");
  if (exact && quantised) {
    const double loss = 100 * (*exact - *quantised);
    all.push_back({"accuracy that int8 loses, in percentage points", loss, 0.2, loss <= 0.2});
  }
}

}  // namespace

std::vector<Bar> bars(const Report& report) {
  std::vector<Bar> all;
  add_latency_bar(report, all);
  add_throughput_bar(report, all);
  add_int8_bars(report, all);
  return all;
}

Json to_json(const Report& report) {
  Json accuracies = Json::array(), met = Json::array();
  for (const auto& one : report.accuracies) {
    accuracies.push_back(
        {{"layer", one.layer}, {"encoding", one.encoding}, {"accuracy", one.share}, {"images", one.images}});
  }
  for (const auto& bar : bars(report)) {
    met.push_back({{"bar", bar.text}, {"measured", bar.measured}, {"wanted", bar.bar}, {"met", bar.met}});
  }
  return {{"schema", 1},
          {"model", report.model},
          {"version", report.version},
          {"input", report.input},
          {"threads", report.threads},
          {"seconds", report.seconds},
          {"repetitions", report.repetitions},
          {"machine", base::describe_machine()},
          {"program", {{"version", base::version()}, {"commit", base::commit()}}},
          {"cells", cells_json(report)},
          {"accuracy", accuracies},
          {"bars", met}};
}

std::string to_markdown(const Report& report) {
  std::int64_t elements = 1;
  for (const auto size : report.input) elements *= size;
  auto text = fmt::format(
      "Model {}, version {}: a representation of [{}] is {} bytes in fp32. {} repetitions of {} s a cell, interleaved; "
      "the "
      "network on {} thread{}; servers in processes of their own on the same machine. Medians of the repetitions, in "
      "brackets their range.\n\n",
      report.model, report.version, fmt::join(report.input, ", "), elements * 4, report.repetitions, report.seconds,
      report.threads, report.threads == 1 ? "" : "s");
  text +=
      "Closed loop (each device waits for its answer; the bare network gets as many rows at once as there are "
      "devices):\n\n";
  text += closed_table(report) + "\n";
  text += open_table(report) + accuracy_table(report) + bars_table(report);
  return text;
}

}  // namespace infoscissors::bench
