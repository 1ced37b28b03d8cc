#include "infoscissors/base/error.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/report/chart.h"
#include "infoscissors/report/escape.h"
#include "infoscissors/report/sections.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <set>

namespace infoscissors::report {
namespace {

using base::Json;
using results::RunRecord;

// The curves of every epoch value whose name `chosen` accepts.
std::string curves(const RunRecord& record, Chart chart, const std::string& id,
                   const std::function<bool(const std::string&)>& chosen) {
  std::set<std::string> names;
  for (const auto& epoch : record.epochs) {
    for (const auto& [name, value] : epoch.values) {
      if (chosen(name)) names.insert(name);
    }
  }
  chart.x_label = "epoch";
  for (const auto& name : names) {
    Series series{name, {}, {}};
    for (auto& c : series.name) c = c == '_' ? ' ' : c;
    for (const auto& epoch : record.epochs) {
      const auto found = epoch.values.find(name);
      series.x.push_back(static_cast<double>(epoch.epoch));
      series.y.push_back(found == epoch.values.end() ? NAN : found->second);
    }
    chart.series.push_back(std::move(series));
  }
  return line_chart(chart, id);
}

std::string training_curves(const RunRecord& record, const std::string& id) {
  std::string out;
  out += curves(record, {.title = "Accuracy", .x_label = {}, .y_label = "share correct", .share = true, .series = {}},
                id + "-accuracy", [](const auto& name) { return name.ends_with("accuracy"); });
  out += curves(record, {.title = "Loss", .x_label = {}, .y_label = "nats, with penalties", .series = {}}, id + "-loss",
                [](const auto& name) { return name == "loss" || name == "cross_entropy"; });
  out += curves(record, {.title = "Information estimates", .x_label = {}, .y_label = "nats", .series = {}},
                id + "-information", [](const auto& name) { return name.starts_with("information"); });
  return out.empty() ? out : "<div class='charts'>" + out + "</div>\n";
}

std::string warnings_html(const RunRecord& record) {
  if (record.warnings.empty()) return {};
  std::string out = "<div class='warning'><strong>Warnings</strong><ul>";
  for (const auto& warning : record.warnings) out += "<li>" + escape(warning) + "</li>";
  return out + "</ul></div>\n";
}

std::string attacks_html(const RunRecord& record) {
  if (record.attacks.empty()) return {};
  std::set<std::string> measures;
  for (const auto& attack : record.attacks) {
    for (const auto& [name, value] : attack.measures) measures.insert(name);
  }
  std::string out =
      "<div class='scroll' tabindex='0' role='region' aria-label='All measures'><table><thead><tr><th "
      "scope='col'>Attack</th><th scope='col'>View</th><th scope='col' class='number'>Seed</th>";
  for (const auto& name : measures)
    out += fmt::format("<th scope='col' class='number'>{}</th>", escape(measure_title(name)));
  out += "<th scope='col' class='number'>Time</th></tr></thead><tbody>";
  for (const auto& attack : record.attacks) {
    out += fmt::format("<tr><th scope='row'>{}</th><td>{}</td><td class='number'>{}</td>", code(attack.spec),
                       escape(attack.view), attack.seed);
    for (const auto& name : measures) {
      const auto found = attack.measures.find(name);
      out += fmt::format("<td class='number'>{}</td>",
                         found == attack.measures.end() ? "" : measure_text(name, found->second));
    }
    out += fmt::format("<td class='number'>{}</td></tr>", base::format_seconds(attack.seconds));
  }
  return out + "</tbody></table></div>\n";
}

std::string configuration(const Json& config) {
  try {
    return base::to_toml(config);
  } catch (const base::Error&) {
    return config.dump(2);  // a null, which TOML cannot hold
  }
}

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string provenance(const RunRecord& record) {
  std::string out = "<dl>";
  const auto add = [&](const std::string& term, const std::string& text, bool is_code) {
    if (text.empty()) return;
    const std::string shown = is_code ? "<code>" + escape(text) + "</code>" : escape(text);
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", escape(term), shown);
  };
  add("repeat with", record.command, true);
  add("seed", fmt::format("{}", record.seed), true);
  add("configuration", record.config_hash, true);
  add("commit", record.commit, true);
  add("version", fmt::format("{}, libtorch {}", record.version, record.libtorch), false);
  for (const auto& [key, value] : record.machine.items()) add(key, plain(value), false);
  if (record.trained) add("training time", base::format_seconds(record.train_seconds), false);
  const auto splits = record.data.find("splits");
  if (splits != record.data.end() && splits->is_object()) {
    for (const auto& [name, split] : splits->items()) {
      if (split.is_object())
        add(name + " split",
            fmt::format("{} images, {}", plain(split.value("count", Json(0))), plain(split.value("hash", Json("")))),
            true);
    }
  }
  return out + "</dl>";
}

}  // namespace

std::string run_section(const RunDirectory& run, const Row& row, const std::string& id) {
  const RunRecord& record = run.record;
  std::string out =
      fmt::format("<article aria-labelledby='{0}'><h3 id='{0}'>{1} <span class='status {2}'>{2}</span></h3>\n", id,
                  code(row.label), escape(record.status));
  out += warnings_html(record) + training_curves(record, id) + attacks_html(record);
  out += "<details><summary>Provenance</summary>" + provenance(record) + "</details>\n";
  out +=
      "<details><summary>Configuration</summary><div class='scroll' tabindex='0' role='region' "
      "aria-label='Configuration'><pre>" +
      escape(configuration(record.config)) + "</pre></div></details>\n";
  return out + "</article>\n";
}

}  // namespace infoscissors::report
