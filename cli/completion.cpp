#include "cli/command.h"

#include "infoscissors/base/error.h"

namespace infoscissors::cli {
namespace {

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) words += "--" + name + " ";
    for (const auto& name : option->get_snames()) words += "-" + name + " ";
  }
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    words += command->get_name() + " ";
  return words;
}

/// A bash function that completes subcommands, their options and file names, derived from the parser itself.
std::string bash_script(const CLI::App& app) {
  std::string cases;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    cases += fmt::format("    {}) words=\"{}{}\" ;;\n", command->get_name(), words_of(*command), words_of(app));
  }
  return fmt::format(
      "_infoscissors() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" words=\"{}\"\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [ \"$COMP_CWORD\" -gt 1 ] && COMPREPLY+=($(compgen -f -- \"$current\"))\n"
      "}}\n"
      "complete -o filenames -F _infoscissors infoscissors\n",
      words_of(app), cases);
}

}  // namespace

void add_completion(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("completion", "Print a shell's completion script");
  command->footer("Examples:\n  source <(infoscissors completion bash)\n  source <(infoscissors completion zsh)");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("shell", *shell, "bash or zsh")->capture_default_str();
  command->callback([shell, &app, &common] {
    if (*shell != "bash" && *shell != "zsh")
      throw base::UsageError("completion is there for bash and zsh, not for '{}'", *shell);
    const std::string script =
        (*shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "") + bash_script(app);
    emit(common, {{"shell", *shell}, {"script", script}}, script);
  });
}

}  // namespace infoscissors::cli
