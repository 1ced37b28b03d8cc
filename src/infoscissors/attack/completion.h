#pragma once

#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/semi.h"
#include "infoscissors/base/options.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <string>

/// Heads that complete a model from a few labelled vectors, which several attacks fit.
namespace infoscissors::attack {

struct CompletionOptions {
  std::string head = "mlp";
  std::int64_t labels = 40;
  std::int64_t width = 64;
  std::int64_t steps = 200;
  double rate = 3e-3;
  std::int64_t folds = 4;
  bool whiten = false;
  bool semi = false;
  SemiOptions semi_options;

  base::Fields fields();
};

/// The vectors of the labelled samples and of those that are attacked, from one source; any range.
struct Evidence {
  torch::Tensor labelled;  // (draws, L, D): independent draws of the same samples, of which training takes turns
  torch::Tensor received;  // (N, D)
};

/// Standardises both by every vector there is (which needs no labels), with `whiten` across channels too, fits a head
/// to the labelled ones with weight decay and stopping step chosen by cross-validation among them, and predicts the
/// received ones. With `semi` a second head is trained on the received vectors as well, and the better one in the same
/// cross-validation predicts. Everything random derives from the view's seed and the attack's name.
Outcome complete(const std::string& attack, const Evidence& evidence, const Labelled& chosen,
                 const CompletionOptions& options, const NoQueryView& view);

}  // namespace infoscissors::attack
