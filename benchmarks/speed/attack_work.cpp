#include "benchmarks/speed/bench.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/inverse.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/base/random.h"
#include "infoscissors/experiment/views.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"

#include <chrono>

namespace infoscissors::speed {
namespace {

constexpr std::uint64_t kSeed = 1;

/// One attack on the network as it was drawn: how far it is trained changes nothing in what an attack costs.
class AttackWork final : public Work {
 public:
  explicit AttackWork(const Options& options)
      : bench_(make_bench(options)),
        spec_(base::parse_spec(options.attack)),
        method_(attack::registry().find(spec_.name).make(spec_)),
        record_(options.record) {
    const auto indices = bench_->splits.test.indices.slice(0, 0, options.attacked);
    const auto exposed = train::expose(bench_->subject(), indices, bench_->runtime, bench_->seed());
    std::visit([&](const auto& attack) { prepare(attack, {bench_, exposed, indices, kSeed}); }, method_);
    put_setup(*bench_, file_);
    put_weights(*bench_, file_, "before.");
    file_.metadata["attack"] = resolve(attack::registry().find(spec_.name).options, spec_).dump();
    file_.metadata["name"] = spec_.name;
    file_.tensors["representations"] = exposed.representations;
    file_.tensors["features"] = exposed.features;
  }

  double run() override {
    const auto begin = std::chrono::steady_clock::now();
    outcome_ = attack_();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  tensor::TensorFile exchange() override {
    if (!record_) return file_;
    run();
    if (outcome_.reconstructions.defined())
      file_.tensors["after.reconstructions"] = outcome_.reconstructions.contiguous();
    if (outcome_.predictions.defined()) file_.tensors["after.predictions"] = outcome_.predictions;
    file_.metadata["details"] = outcome_.details.dump();
    return file_;
  }

 private:
  template <class Method>
  void prepare(const Method& method, const experiment::Sight& sight) {
    using View = typename Method::element_type::View;
    const auto view = std::make_shared<View>(experiment::make_view<View>(sight));
    attack_ = [method, view] { return method->run(*view); };
    put_start(*view);
  }

  /// What the attack draws before its first step, by the names of its random streams.
  void put_start(const attack::NoQueryView& view) {
    const auto options = resolve(attack::registry().find(spec_.name).options, spec_);
    const auto put_network = [&](nn::LayerPtr network, const std::string& stream) {
      attack::initialise(*network, view.seed, stream);
      for (const auto& [key, tensor] : nn::state_of(*network)) file_.tensors["start." + key] = tensor.clone();
    };
    const auto put_seed = [&](const std::string& stream) {
      file_.tensors["seed"] = seed_tensor(base::derive_seed(view.seed, stream));
    };
    if (spec_.name == "ka") {
      file_.tensors["auxiliary"] =
          attack::draw_images(view, spec_.name, options.at("budget").get<std::int64_t>()).contiguous();
      put_network(
          attack::make_inverse(options.at("decoder"), bench_->model.head.output, view.image, options.at("width")),
          "ka:weights");
      put_seed("ka:order");
    } else if (spec_.name == "pmc") {
      const auto chosen = attack::draw_labelled(view, spec_.name, options.at("labels"));
      file_.tensors["auxiliary"] = chosen.images.contiguous();
      file_.tensors["auxiliary_labels"] = chosen.labels;
      file_.tensors["rank"] = chosen.rank;
      const std::int64_t layers = options.at("head") == "mlp" ? 3 : 1;
      put_network(
          nn::make_mlp(nn::element_count(bench_->model.encoder.output), options.at("width"), view.classes, layers),
          "pmc:weights");
    } else {
      put_seed(spec_.name + ":start");
    }
  }

  std::shared_ptr<experiment::Workbench> bench_;
  base::Spec spec_;
  attack::AnyAttack method_;
  bool record_;
  std::function<attack::Outcome()> attack_;
  attack::Outcome outcome_;
  tensor::TensorFile file_;
};

}  // namespace

std::unique_ptr<Work> make_attack_work(const Options& options) {
  return std::make_unique<AttackWork>(options);
}

}  // namespace infoscissors::speed
