#include "cli/run_options.h"

#include "infoscissors/attack/attack.h"

namespace infoscissors::cli {
namespace {

struct AttackArguments {
  std::string directory;
  std::vector<std::string> attacks;
  std::string judge;
  bool again = false;
};

}  // namespace

void add_attack(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("attack", "Attack a trained run as the curious server would");
  command->footer(
      "Examples:\n  infoscissors attack out/input --attack 'ka(decoder=conv,budget=400)'\n"
      "  infoscissors attack out/input --attack rmle --attack 'pmc(head=mlp-sim)' --seed 1\n"
      "`infoscissors list attacks` shows every attack with its options.");
  auto arguments = std::make_shared<AttackArguments>();
  command->add_option("run", arguments->directory, "Run directory")->required();
  command->add_option("--attack", arguments->attacks, "Attack with options; may be repeated")
      ->required()
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--again", arguments->again, "Repeat an attack that is recorded already");
  add_judge(*command, arguments->judge);
  command->callback([arguments, &common] {
    for (const auto& text : arguments->attacks) attack::registry().make(base::parse_spec(text));  // refuse before work
    auto run = experiment::Run::open(arguments->directory, runtime_of(common));
    apply_judge(run, arguments->judge, common);
    for (const auto& text : arguments->attacks) run.attack(text, common.seed, arguments->again);
    emit(common, results::to_json(run.record()), summary(run.record()));
  });
}

}  // namespace infoscissors::cli
