#include "cli/command.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/error.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/experiment/config.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/split_model.h"

namespace infoscissors::cli {
namespace {

using base::Json;

template <class Product>
Json describe(const base::Registry<Product>& registry) {
  Json list = Json::array();
  for (const auto& entry : registry.entries()) {
    Json one = {{"name", entry.doc.name},
                {"summary", entry.doc.summary},
                {"source", entry.doc.source},
                {"options", entry.options}};
    one.update(entry.traits);
    list.push_back(std::move(one));
  }
  return list;
}

Json describe(const std::string& kind) {
  Json list = Json::array();
  if (kind == "defenses") return describe(defense::registry());
  if (kind == "attacks") return describe(attack::registry());
  if (kind == "backbones") {
    for (const auto& doc : nn::backbones()) list.push_back({{"name", doc.name}, {"summary", doc.summary}});
  } else if (kind == "decoders") {
    for (const auto& name : nn::decoder_families()) list.push_back({{"name", name}});
  } else if (kind == "datasets") {
    for (const auto& doc : data::datasets()) {
      list.push_back({{"name", doc.name}, {"summary", doc.summary}, {"source", doc.source}});
    }
  } else if (kind == "config") {
    const Json sections = experiment::describe_config();
    for (const auto& [name, options] : sections.items()) {
      list.push_back({{"name", name.empty() ? "top level" : "[" + name + "]"}, {"options", options}});
    }
  } else {
    throw base::UsageError(
        "there is no list of '{}': {}", kind,
        base::suggestion(kind, {"defenses", "attacks", "backbones", "decoders", "datasets", "config"}));
  }
  return list;
}

/// The text under `key`; empty where there is none.
std::string text_at(const Json& entry, const char* key) {
  return entry.value(key, std::string());
}

std::string text_of(const Json& list, bool options) {
  std::string text;
  for (const auto& entry : list) {
    text += entry["name"].get<std::string>();
    for (const char* key : {"view", "goal", "sites", "applies"}) {
      if (const auto value = text_at(entry, key); !value.empty()) text += fmt::format("  [{}]", value);
    }
    text += "\n";
    for (const char* key : {"summary", "source"}) {
      if (const auto value = text_at(entry, key); !value.empty()) text += fmt::format("    {}\n", value);
    }
    if (!options || !entry.contains("options")) continue;
    for (const auto& option : entry["options"]) {
      const auto range = option["range"].get<std::string>();
      text +=
          fmt::format("      {:<18} {} (default {}{}{})\n", option["name"].get<std::string>(),
                      option["help"].get<std::string>(), option["default"].dump(), range.empty() ? "" : "; ", range);
    }
  }
  return text;
}

std::string code(const std::string& text) {
  return "`" + text + "`";
}

std::string escape_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

/// One Markdown table: the documentation's own, generated so that it cannot fall behind the code.
std::string markdown_of(const Json& list) {
  std::string text = "| name | what it does | source | touches | options (default; range) |\n|---|---|---|---|---|\n";
  for (const auto& entry : list) {
    std::string traits, options;
    for (const char* key : {"sites", "applies", "view", "goal"}) {
      if (const auto value = text_at(entry, key); !value.empty()) traits += (traits.empty() ? "" : "; ") + value;
    }
    for (const auto& option : entry.value("options", Json::array())) {
      const auto range = option["range"].get<std::string>();
      options += fmt::format("{}{} ({}{}{})", options.empty() ? "" : ", ", code(option["name"].get<std::string>()),
                             option["default"].dump(), range.empty() ? "" : "; ", range);
    }
    text += fmt::format("| {} | {} | {} | {} | {} |\n", code(entry["name"].get<std::string>()),
                        escape_cell(entry.value("summary", "")), escape_cell(entry.value("source", "")),
                        escape_cell(traits), escape_cell(options));
  }
  return text;
}

}  // namespace

void add_list(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("list", "List defenses, attacks, backbones, decoders, datasets or config keys");
  command->footer(
      "Examples:\n  infoscissors list defenses\n  infoscissors list attacks --markdown\n  infoscissors list config");
  struct Arguments {
    std::string kind;
    bool markdown = false;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_option("kind", arguments->kind, "defenses, attacks, backbones, decoders, datasets or config")
      ->required();
  command->add_flag("--markdown", arguments->markdown, "As a Markdown table");
  command->callback([arguments, &common] {
    const Json list = describe(arguments->kind);
    emit(common, list, arguments->markdown ? markdown_of(list) : text_of(list, true));
  });
}

}  // namespace infoscissors::cli
