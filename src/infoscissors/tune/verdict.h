#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/study/summary.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace infoscissors::tune {

/// The strongest attack on one goal.
struct Leak {
  std::string attack;  // canonical spec; empty where none was measured
  study::Mean value;   // SSIM of reconstructions, or accuracy of inferred labels
};

/// What was measured of one setting, means over seeds.
struct Measured {
  std::string defense;  // canonical
  study::Mean accuracy;
  std::map<std::string, Leak> leaks;  // by goal: "input", "prediction"
};

/// The settings of a study with the goals named; those without accuracy or with a goal that was not measured (a run
/// failed, or diverged) are left out.
std::vector<Measured> measure(const study::Summary& summary, const std::vector<std::string>& goals);

/// How a setting compares with the undefended network trained as long.
struct Verdict {
  Measured measured;
  double loss = 0;     // of accuracy, in [-1, 1]
  double leakage = 0;  // share of the undefended leakage that is left; of two goals the larger
  double score = 0;    // leakage, and as much again for each allowance by which the loss exceeds the allowed one
  bool within = false;
};

/// Leakage counts from what an attacker has without a wire: SSIM 0, and accuracy 1/classes. `allowed` > 0: largest loss
/// of accuracy, a fraction. Throws Error where `reference` leaks no more than that: there is nothing to protect.
Verdict judge(const Measured& measured, const Measured& reference, std::int64_t classes, double allowed);

/// Best first. Settings within the allowance before others, if `strict`; else by score alone, for a network that has
/// hardly learnt says little of what its setting will cost.
void rank(std::vector<Verdict>& verdicts, bool strict);

base::Json to_json(const Measured& measured);
base::Json to_json(const Verdict& verdict);

}  // namespace infoscissors::tune
