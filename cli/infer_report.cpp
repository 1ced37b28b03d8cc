#include "cli/infer_report.h"

#include <algorithm>

namespace infoscissors::cli {
namespace {

using base::Json;

/// The value below which the share `q` of the values lies; they are sorted.
double quantile(const std::vector<double>& sorted, double q) {
  const auto index = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[index];
}

struct Stage {
  const char* key;
  const char* name;
  std::optional<double> (*of)(const device::Timing&);
};

constexpr Stage kStages[] = {
    {"prepare", "prepare", [](const device::Timing& t) -> std::optional<double> { return t.prepare; }},
    {"head", "head", [](const device::Timing& t) -> std::optional<double> { return t.head; }},
    {"wire", "wire", [](const device::Timing& t) -> std::optional<double> { return t.wire; }},
    {"queue", "server's queue", [](const device::Timing& t) { return t.queue; }},
    {"compute", "server's network", [](const device::Timing& t) { return t.compute; }},
    {"classifier", "classifier", [](const device::Timing& t) -> std::optional<double> { return t.classifier; }},
    {"total", "whole call", [](const device::Timing& t) -> std::optional<double> { return t.total; }},
};

std::uint64_t total(const std::vector<device::Answer>& answers, std::uint64_t device::Answer::*member) {
  std::uint64_t sum = 0;
  for (const auto& answer : answers) sum += answer.*member;
  return sum;
}

}  // namespace

void InferReport::add(const std::vector<CallItem>& items, const device::Answer& answer) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& top = answer.results[i].top;
    Json guesses = Json::array();
    for (const auto& guess : top)
      guesses.push_back({{"class", classes_[guess.label]}, {"probability", guess.probability}});
    Json entry = {{"name", items[i].name}, {"top", guesses}, {"call", answers_.size()}};
    if (const auto& label = items[i].label) {
      ++labelled_;
      if (static_cast<std::int64_t>(top[0].label) == *label) ++correct_;
      entry["label"] = classes_[static_cast<std::size_t>(*label)];
    }
    results_.push_back(std::move(entry));
  }
  images_ += static_cast<std::int64_t>(items.size());
  answers_.push_back(answer);
  answers_.back().results.clear();
}

std::string InferReport::line(const CallItem& item, const device::Result& result) const {
  std::string guesses;
  for (const auto& guess : result.top) {
    guesses +=
        fmt::format("{}{} {:.1f} %", guesses.empty() ? "" : ", ", classes_[guess.label], 100 * guess.probability);
  }
  return fmt::format("{}  {}\n", item.name, guesses);
}

Json InferReport::stages() const {
  Json stages = Json::object();
  for (const auto& stage : kStages) {
    std::vector<double> values;
    for (const auto& answer : answers_) {
      if (const auto value = stage.of(answer.timing)) values.push_back(*value);
    }
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    stages[stage.key] = {{"p50_us", quantile(values, 0.5)}, {"p99_us", quantile(values, 0.99)}};
  }
  return stages;
}

Json InferReport::json() const {
  int attempts = 0;
  for (const auto& answer : answers_) attempts += answer.attempts;
  Json document = {{"images", images_},
                   {"calls", answers_.size()},
                   {"attempts", attempts},
                   {"bytes_sent", total(answers_, &device::Answer::bytes_sent)},
                   {"bytes_received", total(answers_, &device::Answer::bytes_received)},
                   {"timing", stages()},
                   {"results", results_}};
  if (labelled_ > 0) document["accuracy"] = static_cast<double>(correct_) / static_cast<double>(labelled_);
  return document;
}

std::string InferReport::text() const {
  const auto document = json();
  std::string text = fmt::format("{} images in {} calls", images_, answers_.size());
  if (const int again = document["attempts"].get<int>() - static_cast<int>(answers_.size()); again > 0) {
    text += fmt::format(" ({} more attempts)", again);
  }
  text += "\n";
  if (labelled_ > 0)
    text += fmt::format("accuracy {:.4f} ({} of {})\n", document["accuracy"].get<double>(), correct_, labelled_);
  if (images_ == 0) return text;
  const auto per_image = [&](const char* key) { return document[key].get<double>() / static_cast<double>(images_); };
  text += fmt::format("bytes an image: {:.0f} sent, {:.0f} received\n", per_image("bytes_sent"),
                      per_image("bytes_received"));
  text += fmt::format("{:<20} {:>10} {:>10}\n", "a call, milliseconds", "median", "99 %");
  for (const auto& stage : kStages) {
    if (!document["timing"].contains(stage.key)) continue;
    const auto& times = document["timing"][stage.key];
    text += fmt::format("  {:<18} {:>10.3f} {:>10.3f}\n", stage.name, times["p50_us"].get<double>() / 1000,
                        times["p99_us"].get<double>() / 1000);
  }
  return text;
}

}  // namespace infoscissors::cli
