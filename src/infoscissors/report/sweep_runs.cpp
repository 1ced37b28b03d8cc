#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"
#include "infoscissors/report/escape.h"
#include "infoscissors/report/sweep_sections.h"
#include "infoscissors/results/measure.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace infoscissors::report {
namespace {

using base::Json;
using study::Entry;

std::string run_command(const Entry& entry) {
  if (!entry.record.command.empty()) return entry.record.command;
  return fmt::format("infoscissors run {} --out again", shell_word((entry.path / "config.toml").string()));
}

// Numbers of attacks come about by the run's command or by one of these; of each measured number one.
std::string attack_commands(const Entry& entry) {
  std::string out;
  for (const auto& attack : entry.record.attacks) {
    const auto measure = results::main_measure(attack.goal);
    const auto value = attack.measures.find(measure);
    out += fmt::format("<li>{} {}: <code>infoscissors attack {} --attack {} --seed {}</code></li>",
                       escape(results::measure_title(measure)),
                       value == attack.measures.end() ? "-" : results::measure_text(measure, value->second),
                       escape(shell_word(entry.path.string())), escape(shell_word(attack.spec)), attack.seed);
  }
  return out.empty() ? out : "<ul>" + out + "</ul>";
}

std::string warnings(const Entry& entry) {
  std::string out;
  for (const auto& warning : entry.record.warnings) out += "<li>" + escape(warning) + "</li>";
  return out.empty() ? out : "<div class='warning'><strong>Warnings</strong><ul>" + out + "</ul></div>";
}

std::string run_html(const Entry& entry) {
  const auto& record = entry.record;
  const auto accuracy = record.measures.find("accuracy");
  const std::string shown =
      accuracy == record.measures.end() ? "" : ", accuracy " + results::measure_text("accuracy", accuracy->second);
  return fmt::format(
      "<details><summary>{}, seed {}{} <span class='status {}'>{}</span></summary>{}<p class='hash'>run "
      "<code>{}</code>, "
      "commit <code>{}</code></p>{}{}</details>\n",
      escape(fmt::format("{}: {}", entry.labels.dataset, record.defense)), record.seed, shown, escape(record.status),
      escape(record.status), warnings(entry), escape(record.config_hash), escape(record.commit),
      command_html(run_command(entry)), attack_commands(entry));
}

std::string machines(const std::vector<Entry>& entries) {
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : entries) {
    std::string text = fmt::format("InfoScissors {} ({}), libtorch {}", entry.record.version, entry.record.commit,
                                   entry.record.libtorch);
    for (const auto& [key, value] : entry.record.machine.items())
      text += fmt::format("; {} {}", key, value.is_string() ? value.get<std::string>() : value.dump());
    ++counts[text];
  }
  std::string out = "<h3>Machines</h3><ul>";
  for (const auto& [text, count] : counts) out += fmt::format("<li>{} runs: {}</li>", count, escape(text));
  return out + "</ul>\n";
}

// The common configuration of each data set: what the runs do not vary is read off one of them.
std::string configurations(const std::vector<Entry>& entries) {
  std::set<std::string> shown;
  std::string out = "<h3>Configuration</h3>\n";
  for (const auto& entry : entries) {
    const auto& l = entry.labels;
    const auto place = fmt::format("{}, {} x {:g}, {}", l.dataset, l.backbone, l.width, l.cut);
    if (!shown.insert(place).second) continue;
    std::string text;
    try {
      text = base::to_toml(entry.record.config);
    } catch (const base::Error&) {
      text = entry.record.config.dump(2);  // a null, which TOML cannot hold
    }
    out += fmt::format(
        "<details><summary>{}: of the run {} seed {}</summary><div class='scroll' tabindex='0' role='region' "
        "aria-label='Configuration'><pre>{}</pre></div></details>\n",
        escape(place), escape(entry.record.defense), l.seed, escape(text));
  }
  return out;
}

}  // namespace

std::string runs_section(const study::Study& study) {
  std::string out = "<section aria-labelledby='every-run'><h2 id='every-run'>Every run</h2>\n";
  out += "<p>Every number with its command:</p>" +
         command_html("infoscissors table " + source_words(study) + " --long --format csv");
  if (study.entries.empty())
    return out + "<p>The numbers come from a long table; run directories are not at hand.</p></section>\n";
  for (const auto& entry : study.entries) out += run_html(entry);
  return out + machines(study.entries) + configurations(study.entries) + "</section>\n";
}

}  // namespace infoscissors::report
