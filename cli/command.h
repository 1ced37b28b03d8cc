#pragma once

#include "infoscissors/base/json.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

/// The command line: one file a subcommand; main holds the one list of them and the one place where errors end.
namespace infoscissors::cli {

/// Options every subcommand has.
struct Common {
  bool json = false;
  std::string device = "auto";
  std::string precision = "auto";
  std::int64_t threads = 0;
  std::optional<std::uint64_t> seed;
};

/// Prints the document on stdout under --json, the text otherwise.
void emit(const Common& common, const base::Json& document, const std::string& text);

/// Each adds its subcommand with options, examples and the callback that does the work (and throws base::Error).
void add_train(CLI::App& app, Common& common);
void add_attack(CLI::App& app, Common& common);
void add_evaluate(CLI::App& app, Common& common);
void add_run(CLI::App& app, Common& common);
void add_report(CLI::App& app, Common& common);
void add_sweep(CLI::App& app, Common& common);
void add_tune(CLI::App& app, Common& common);
void add_table(CLI::App& app, Common& common);
void add_figure(CLI::App& app, Common& common);
void add_track(CLI::App& app, Common& common);
void add_export(CLI::App& app, Common& common);
void add_bundle(CLI::App& app, Common& common);
void add_infer(CLI::App& app, Common& common);
void add_list(CLI::App& app, Common& common);
void add_data(CLI::App& app, Common& common);
void add_completion(CLI::App& app, Common& common);
void add_mi(CLI::App& app, Common& common);
void add_certify(CLI::App& app, Common& common);
void add_bench(CLI::App& app, Common& common);
void add_pki(CLI::App& app, Common& common);
void add_serve(CLI::App& app, Common& common);
void add_version(CLI::App& app, Common& common);

}  // namespace infoscissors::cli
