#include "cli/choice.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/defense/defense.h"

#include <vector>

namespace infoscissors::cli {
namespace {

/// The same for an attack; a name alone stands for every attack of that method.
std::string recorded_attack(const std::string& text) {
  if (text.find('(') == std::string::npos) return text;
  try {
    const auto spec = base::parse_spec(text);
    return attack::registry().find(spec.name).canonical(spec);
  } catch (const base::UsageError&) {
    return text;
  }
}

}  // namespace

std::string recorded_defense(const std::string& text) {
  try {
    return defense::canonical_defense(text);
  } catch (const base::UsageError&) {
    return text;
  }
}

void add_choice(CLI::App& command, study::Choice& choice) {
  const auto list = [&](const char* name, std::vector<std::string>& into, const char* help) {
    return command.add_option(name, into, help)->take_all()->allow_extra_args(false);
  };
  list("--dataset", choice.datasets, "Only this data set; may be repeated");
  list("--backbone", choice.backbones, "Only this network; may be repeated");
  list("--cut", choice.cuts, "Only this cut, h1c3 for example; may be repeated");
  list("--defense", choice.defenses, "Only this family; may be repeated");
  list("--attack", choice.attacks, "Only this attack, by name or spec; may be repeated")->transform(recorded_attack);
}

}  // namespace infoscissors::cli
