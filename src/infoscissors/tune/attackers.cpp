#include "infoscissors/tune/attackers.h"

#include "infoscissors/base/error.h"

namespace infoscissors::tune {
namespace {

using Specs = std::vector<std::string>;

const Specs kPaperInput = {"ka(decoder=linear)", "rmle"};
const Specs kPaperPrediction = {"pmc(head=mlp)", "pmc(head=mlp-sim)"};
const Specs kStrongInput = {"ka(decoder=conv)",         "ka(decoder=res)", "ka(decoder=res,budget=4000)", "rmle",
                            "ka-adaptive(decoder=res)", "rmle-adaptive"};
const Specs kStrongPrediction = {
    "pmc(head=mlp)", "pmc(head=mlp-sim)", "pmc(head=mlp-sim,whiten=true)", "pmc(head=mlp,semi=true)", "knn",
    "cluster",       "pmc-adaptive"};

}  // namespace

std::vector<std::string> attackers(const std::string& strength, const std::string& goal) {
  if (strength != "paper" && strength != "strong") {
    throw base::UsageError("there are no attackers called '{}': paper or strong", strength);
  }
  if (goal != "input" && goal != "prediction" && goal != "both") {
    throw base::UsageError("there is no goal '{}': input, prediction or both", goal);
  }
  const bool strong = strength == "strong";
  Specs specs;
  if (goal != "prediction") specs = strong ? kStrongInput : kPaperInput;
  if (goal != "input") {
    const auto& more = strong ? kStrongPrediction : kPaperPrediction;
    specs.insert(specs.end(), more.begin(), more.end());
  }
  return specs;
}

}  // namespace infoscissors::tune
