#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/options.h"
#include "infoscissors/base/progress.h"

#include <cstdio>
#include <exception>

namespace infoscissors::cli {
namespace {

constexpr int kFailed = 1, kWrongUsage = 2, kInterrupted = 130;

/// Every subcommand, in the order in which --help shows them.
constexpr void (*kCommands[])(CLI::App&, Common&) = {
    add_run,    add_train, add_attack, add_evaluate, add_mi,         add_certify, add_report, add_table,
    add_figure, add_track, add_sweep,  add_tune,     add_list,       add_data,    add_export, add_bundle,
    add_infer,  add_serve, add_pki,    add_bench,    add_completion, add_version,
};

void set_verbosity(int verbose, bool quiet) {
  base::log::set_level(quiet         ? base::log::Level::warning
                       : verbose > 0 ? base::log::Level::debug
                                     : base::log::Level::info);
  base::Progress::set_quiet(quiet);
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

int fail(const std::string& message, int status) {
  base::log::write(base::log::Level::error, message);
  return status;
}

/// CLI11's own complaints as one line; --help and --version are no failures.
int report_parse_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);
  std::string message = error.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  const auto names = subcommand_names(app);
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    message = fmt::format("there is no command '{}': {}", argv[1], base::suggestion(argv[1], names));
  }
  return fail(message + " (see --help)", kWrongUsage);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Train, attack and measure split neural networks whose wire must stay private.\n"
      "InfoScissors: Duan et al., NeurIPS 2024.\n\n"
      "Examples:\n"
      "  infoscissors run configs/demo/input.toml --out out/input\n"
      "  infoscissors attack out/input --attack 'ka(decoder=res,budget=4000)'\n"
      "  infoscissors report out/none out/input --out report.html\n",
      "infoscissors"};
  Common common;
  int verbose = 0;
  bool quiet = false;
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("--json", common.json, "One JSON document on stdout, nothing else there");
  app.add_option("--device", common.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  app.add_option("--precision", common.precision, "auto, fp32 or bf16")->capture_default_str();
  app.add_option("--threads", common.threads, "Threads; 0: every core")->capture_default_str();
  app.add_option("--seed", common.seed, "Replaces the configuration's seed");
  app.add_flag("-v,--verbose", verbose, "More messages on stderr");
  app.add_flag("-q,--quiet", quiet, "Only warnings and errors on stderr");
  // Set before the subcommand's own callback runs.
  app.parse_complete_callback([&] { set_verbosity(verbose, quiet); });
  for (const auto& add : kCommands) add(app, common);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error, argc, argv);
  } catch (const base::UsageError& error) {
    return fail(error.what(), kWrongUsage);
  } catch (const base::Interrupted& error) {
    return fail(error.what(), kInterrupted);
  } catch (const std::exception& error) {
    // The first line: libtorch appends its stack to what().
    const std::string what = error.what();
    return fail(what.substr(0, what.find('\n')), kFailed);
  }
}

}  // namespace

void emit(const Common& common, const base::Json& document, const std::string& text) {
  const std::string out = common.json ? document.dump(2) + "\n" : text;
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
    throw base::Error("the result cannot be written to standard output");
  }
}

}  // namespace infoscissors::cli

int main(int argc, char** argv) {
  infoscissors::base::install_interrupt_handler();
  return infoscissors::cli::run(argc, argv);
}
