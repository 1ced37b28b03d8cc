#include "infoscissors/study/labels.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

namespace infoscissors::study {
namespace {

using base::Json;

// A canonical spec leaves defaults out, so what is not said is here. A test compares it with the registries.
struct Option {
  std::string_view method, name, fallback;
};

constexpr std::array kStrengths = {
    Option{"an", "scale", "0.1"},         Option{"an-adv", "epsilon", "0.1"},
    Option{"cem", "weight", "8"},         Option{"dc", "share", "0.1"},
    Option{"dp", "epsilon", "1"},         Option{"dropout", "probability", "0.5"},
    Option{"infoscissors", "input", "0"}, Option{"infoscissors", "prediction", "0"},
    Option{"mid", "beta", "0.001"},       Option{"nopeek", "weight", "1"},
    Option{"ppdl", "share", "0.25"},      Option{"ridge", "weight", "1"},
    Option{"shredder", "scale", "1"},
};

constexpr std::array kBudgets = {
    Option{"ka", "budget", "400"},
    Option{"ka-adaptive", "budget", "400"},
    Option{"combined-input", "budget", "400"},
    Option{"pmc", "labels", "40"},
    Option{"pmc-adaptive", "labels", "40"},
    Option{"amc", "labels", "40"},
    Option{"scratch", "labels", "40"},
    Option{"knn", "labels", "40"},
    Option{"cluster", "labels", "40"},
    Option{"combined-label", "labels", "40"},
    Option{"query-free", "labels", "400"},
};

constexpr std::array kDecoders = {
    Option{"ka", "decoder", "conv"},
    Option{"ka-adaptive", "decoder", "conv"},
    Option{"combined-input", "decoder", "conv"},
    Option{"pmc", "head", "mlp"},
    Option{"pmc-adaptive", "head", "mlp"},
    Option{"amc", "head", "mlp"},
    Option{"combined-label", "head", "mlp"},
};

double number(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? value : std::numeric_limits<double>::quiet_NaN();
}

std::optional<std::string> said(const base::Spec& spec, std::string_view option) {
  for (const auto& [key, value] : spec.options) {
    if (key == option) return value;
  }
  return {};
}

// dp(mode=raw) and dc(variant=quantise) are moved by another option than the one of their default.
double own_strength(const base::Spec& spec) {
  if (spec.name == "dp" && said(spec, "mode") == "raw") return number(said(spec, "scale").value_or("0.1"));
  if (spec.name == "dc" && said(spec, "variant") == "quantise") return number(said(spec, "bins").value_or("12"));
  std::optional<double> implied;
  for (const auto& option : kStrengths) {
    if (option.method != spec.name) continue;
    if (const auto text = said(spec, option.name)) return number(*text);
    if (!implied) implied = number(option.fallback);
  }
  return implied.value_or(std::numeric_limits<double>::quiet_NaN());
}

template <std::size_t N>
std::string said_or_implied(const std::array<Option, N>& table, const std::string& text) {
  const auto spec = base::parse_spec(text);
  for (const auto& option : table) {
    if (option.method == spec.name) return said(spec, option.name).value_or(std::string(option.fallback));
  }
  return {};
}

template <class Value>
Value value_at(const Json& config, const char* section, const char* key, Value fallback) {
  const auto found = config.find(section);
  if (found == config.end() || !found->is_object() || !found->contains(key)) return fallback;
  const auto& value = found->at(key);
  if constexpr (std::is_same_v<Value, std::string>) {
    return value.is_string() ? value.get<std::string>() : fallback;
  } else {
    return value.is_number() ? value.get<Value>() : fallback;
  }
}

}  // namespace

std::vector<std::string> strength_options(const std::string& defense) {
  std::vector<std::string> names;
  for (const auto& option : kStrengths) {
    if (option.method == defense) names.emplace_back(option.name);
  }
  return names;
}

std::string strength_option(const std::string& defense) {
  const auto names = strength_options(defense);
  return names.empty() ? std::string() : names.front();
}

double strength_of(const std::string& text) {
  for (const auto& spec : base::parse_specs(text)) {
    if (const double strength = own_strength(spec); strength == strength) return strength;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string family_of(const std::string& text) {
  std::string names;
  for (const auto& spec : base::parse_specs(text)) names += (names.empty() ? "" : "+") + spec.name;
  return names.empty() ? "none" : names;
}

double budget_of(const std::string& attack) {
  return number(said_or_implied(kBudgets, attack));
}

std::string decoder_of(const std::string& attack) {
  return said_or_implied(kDecoders, attack);
}

Labels labels_of(const results::RunRecord& record) {
  Labels labels;
  const auto& config = record.config;
  labels.dataset = value_at<std::string>(config, "data", "name", "");
  if (labels.dataset.empty() && record.data.contains("name") && record.data.at("name").is_string())
    labels.dataset = record.data.at("name").get<std::string>();
  labels.backbone = value_at<std::string>(config, "model", "backbone", "");
  labels.width = value_at<double>(config, "model", "width", 1.0);
  labels.cut = fmt::format("h{}c{}", value_at<std::int64_t>(config, "model", "head_stages", 0),
                           value_at<std::int64_t>(config, "model", "classifier_layers", 1));
  labels.defense = family_of(record.defense);
  labels.strength = strength_of(record.defense);
  labels.seed = record.seed;
  return labels;
}

}  // namespace infoscissors::study
