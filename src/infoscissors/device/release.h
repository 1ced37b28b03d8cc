#pragma once

#include "infoscissors/defense/defense.h"

#include "infoscissors/tensor/torch.h"

#include <map>
#include <string>

/// The defence's last step as a bundle stores it: which parts of a composition change what is exposed, and their
/// tensors. The code that releases is that of training and evaluation.
namespace infoscissors::device {

struct Release {
  std::string spec = "none";                     // "an(scale=0.3)"
  std::map<std::string, torch::Tensor> tensors;  // modules.INDEX.MODULE.PARAMETER and state.INDEX.NAME
};

/// Takes from a trained defence, built from `specs` and set up for `context`, what a device needs. Parts whose release
/// returns what it was given (a defence that protects by training) are left out, adversaries with them.
Release gather_release(defense::Defense& trained, const std::string& specs, const defense::Context& context);

/// Builds it again. Throws UsageError for a spec that is none, Error for tensors that are missing, unknown or of
/// another shape.
defense::DefensePtr restore_release(const Release& release, const defense::Context& context);

}  // namespace infoscissors::device
