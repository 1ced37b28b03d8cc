#include "infoscissors/defense/state.h"

#include "infoscissors/base/error.h"

namespace infoscissors::defense {

void load_into(const std::map<std::string, torch::Tensor>& own, const std::map<std::string, torch::Tensor>& stored,
               const std::string& defense) {
  for (const auto& [name, tensor] : own) {
    const auto found = stored.find(name);
    if (found == stored.end()) throw base::Error("the state of {} lacks '{}'", defense, name);
    if (found->second.sizes() != tensor.sizes()) {
      throw base::Error("the state '{}' of {} has shape {}, this network wants {}", name, defense,
                        fmt::join(found->second.sizes().vec(), "x"), fmt::join(tensor.sizes().vec(), "x"));
    }
  }
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : own) torch::Tensor(tensor).copy_(stored.at(name));
}

}  // namespace infoscissors::defense
