#include "infoscissors/defense/defense.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"
#include "infoscissors/base/spec.h"

#include <algorithm>

namespace infoscissors::defense {
namespace {

/// Several defences one after the other.
class Stack : public Defense {
 public:
  explicit Stack(std::vector<DefensePtr> parts) : parts_(std::move(parts)) {}

  void setup(const Context& context) override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Context own = context;
      own.seed = base::derive_seed(context.seed, "defense", i);
      parts_[i]->setup(own);
    }
  }

  Learns learns() const override {
    auto most = Learns::nothing;
    for (const auto& part : parts_) most = std::max(most, part->learns());
    return most;
  }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase phase, torch::Generator& generator,
                        const torch::Tensor& images) override {
    torch::Tensor value = exposed;
    for (const auto& part : parts_) value = part->release(value, site, phase, generator, images);
    return value;
  }

  torch::Tensor release_gradient(const torch::Tensor& gradient, torch::Generator& generator) override {
    torch::Tensor value = gradient;
    for (const auto& part : parts_) value = part->release_gradient(value, generator);
    return value;
  }

  void update_adversary(const Step& step) override {
    for (const auto& part : parts_) part->update_adversary(step);
  }

  torch::Tensor penalty(const Step& step) override {
    torch::Tensor sum;
    for (const auto& part : parts_) {
      const auto value = part->penalty(step);
      if (value.defined()) sum = sum.defined() ? sum + value : value;
    }
    return sum;
  }

  double task_weight(const Step& step) const override {
    double product = 1.0;
    for (const auto& part : parts_) product *= part->task_weight(step);
    return product;
  }

  void finish_step() override {
    for (const auto& part : parts_) part->finish_step();
  }

  EpochReport end_epoch() override {
    EpochReport all;
    for (const auto& part : parts_) {
      auto report = part->end_epoch();
      all.values.merge(report.values);
      all.warnings.insert(all.warnings.end(), report.warnings.begin(), report.warnings.end());
    }
    return all;
  }

  std::map<std::string, double> measures() const override {
    std::map<std::string, double> all;
    for (const auto& part : parts_) all.merge(part->measures());
    return all;
  }

  std::vector<torch::Tensor> trained_parameters() override {
    std::vector<torch::Tensor> all;
    for (const auto& part : parts_) {
      for (const auto& parameter : part->trained_parameters()) all.push_back(parameter);
    }
    return all;
  }

  std::map<std::string, std::shared_ptr<torch::nn::Module>> modules() override { return gather(&Defense::modules); }
  std::map<std::string, torch::Tensor> state() override { return gather(&Defense::state); }

  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      std::map<std::string, torch::Tensor> own;
      const auto prefix = prefix_of(i);
      for (const auto& [name, tensor] : state) {
        if (name.starts_with(prefix)) own[name.substr(prefix.size())] = tensor;
      }
      parts_[i]->load_state(own);
    }
  }

 private:
  static std::string prefix_of(std::size_t index) { return std::to_string(index) + "."; }

  template <class Value>
  std::map<std::string, Value> gather(std::map<std::string, Value> (Defense::*member)()) {
    std::map<std::string, Value> all;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (const auto& [name, value] : (parts_[i].get()->*member)()) all[prefix_of(i) + name] = value;
    }
    return all;
  }

  std::vector<DefensePtr> parts_;
};

/// One defence of a composition, with the text it was made from.
struct Part {
  base::Spec spec;
  DefensePtr defense;
};

/// Throws UsageError for parts that cannot stand together in this order.
void check_composition(const std::vector<Part>& parts) {
  std::map<std::string, std::string> holders;
  std::string guarantor;
  for (const auto& [spec, defense] : parts) {
    for (const auto& claim : defense->claims()) {
      const auto [holder, first] = holders.emplace(claim, spec.name);
      if (first) continue;
      throw base::UsageError("[{}+{}] both hold {}, of which a composition has one: leave one of the two out",
                             holder->second, spec.name, claim);
    }
    if (defense->reads_image() && !guarantor.empty()) {
      throw base::UsageError("[{0}+{1}] {1} looks at the image again, which voids the guarantee of {0}: write {1}+{0}",
                             guarantor, spec.name);
    }
    if (defense->guarantees_representation()) guarantor = spec.name;
  }
}

/// The parsed composition without the neutral element. Throws UsageError for wrong names and options, too.
std::vector<Part> protecting(std::string_view specs) {
  std::vector<Part> parts;
  for (const auto& spec : base::parse_specs(specs)) {
    auto defense = registry().make(spec);
    if (spec.name != "none") parts.push_back({spec, std::move(defense)});
  }
  check_composition(parts);
  return parts;
}

}  // namespace

std::string to_string(Learns learns) {
  if (learns == Learns::nothing) return "any time";
  return learns == Learns::itself ? "any time, once fitted" : "in training";
}

base::Registry<DefensePtr>& registry() {
  static base::Registry<DefensePtr> instance("defense");
  return instance;
}

DefensePtr make_defense(std::string_view specs) {
  std::vector<DefensePtr> parts;
  for (auto& part : protecting(specs)) parts.push_back(std::move(part.defense));
  return std::make_shared<Stack>(std::move(parts));
}

std::string canonical_defense(std::string_view specs) {
  std::string text;
  for (const auto& part : protecting(specs)) {
    text += (text.empty() ? "" : "+") + registry().find(part.spec.name).canonical(part.spec);
  }
  return text.empty() ? "none" : text;
}

}  // namespace infoscissors::defense
