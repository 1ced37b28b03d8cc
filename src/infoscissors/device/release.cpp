#include "infoscissors/device/release.h"

#include "infoscissors/base/spec.h"
#include "infoscissors/nn/initialise.h"

#include <set>

namespace infoscissors::device {
namespace {

using Tensors = std::map<std::string, torch::Tensor>;
constexpr const char* kModules = "modules.";
constexpr const char* kState = "state.";

/// The entries that begin with `prefix`, with `instead` in its place.
Tensors renamed(const Tensors& all, const std::string& prefix, const std::string& instead) {
  Tensors part;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) part[instead + name.substr(prefix.size())] = tensor;
  }
  return part;
}

Tensors tensors_of(defense::Defense& defense) {
  Tensors all;
  for (const auto& [module_name, module] : defense.modules()) {
    for (const auto& [name, tensor] : nn::state_of(*module)) {
      all[kModules + module_name + "." + name] = tensor.detach().to(torch::kCPU).clone();
    }
  }
  for (const auto& [name, tensor] : defense.state()) all[kState + name] = tensor.detach().to(torch::kCPU).clone();
  return all;
}

void refuse_strangers(defense::Defense& defense, const Tensors& tensors) {
  const auto own = tensors_of(defense);
  for (const auto& [name, tensor] : tensors) {
    if (!own.contains(name)) throw base::Error("the tensor '{}' belongs to no part of the defence", name);
  }
}

void load(defense::Defense& defense, const Tensors& tensors) {
  refuse_strangers(defense, tensors);
  for (const auto& [name, module] : defense.modules()) {
    nn::load_state(*module, renamed(tensors, kModules + name + ".", ""));
  }
  defense.load_state(renamed(tensors, kState, ""));
}

torch::Tensor one_sample(const nn::Shape& shape) {
  auto sizes = shape;
  sizes.insert(sizes.begin(), 1);
  return torch::zeros(sizes);
}

/// The default hook returns its argument itself.
bool releases_unchanged(defense::Defense& defense, const defense::Context& context) {
  const torch::NoGradGuard no_grad;
  auto generator = tensor::make_generator(torch::kCPU, 0, "probe");
  const auto images = one_sample(context.image);
  const auto r = one_sample(context.representation), v = one_sample(context.feature);
  using enum defense::Site;
  return defense.release(r, representation, defense::Phase::serve, generator, images).is_same(r) &&
         defense.release(v, feature, defense::Phase::serve, generator, images).is_same(v);
}

defense::Context on_cpu(defense::Context context) {
  context.runtime = {};
  return context;
}

}  // namespace

Release gather_release(defense::Defense& trained, const std::string& specs, const defense::Context& context) {
  Release release;
  const auto tensors = tensors_of(trained);
  std::size_t index = 0, kept = 0;
  for (const auto& spec : base::parse_specs(defense::canonical_defense(specs))) {
    if (spec.name == "none") continue;
    const auto from = std::to_string(index++) + ".", to = std::to_string(kept) + ".";
    Tensors own = renamed(tensors, kModules + from, std::string(kModules) + "0.");
    own.merge(renamed(tensors, kState + from, std::string(kState) + "0."));
    const auto text = defense::registry().find(spec.name).canonical(spec);
    const auto alone = defense::make_defense(text);
    alone->setup(on_cpu(context));
    load(*alone, own);
    if (releases_unchanged(*alone, context)) continue;
    release.spec = kept++ == 0 ? text : release.spec + "+" + text;
    release.tensors.merge(renamed(own, std::string(kModules) + "0.", kModules + to));
    release.tensors.merge(renamed(own, std::string(kState) + "0.", kState + to));
  }
  return release;
}

defense::DefensePtr restore_release(const Release& release, const defense::Context& context) {
  auto defense = defense::make_defense(release.spec);
  defense->setup(on_cpu(context));
  load(*defense, release.tensors);
  for (const auto& [name, module] : defense->modules()) module->eval();
  return defense;
}

}  // namespace infoscissors::device
