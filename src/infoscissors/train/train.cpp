#include "infoscissors/train/train.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/nn/norm.h"
#include "infoscissors/ranks/group.h"
#include "infoscissors/train/checkpoint.h"

#include <chrono>
#include <cmath>
#include <optional>

namespace infoscissors::train {
namespace {

using Clock = std::chrono::steady_clock;

/// One training in progress.
class Loop {
 public:
  Loop(const Subject& subject, const TrainOptions& options, const tensor::Runtime& runtime, std::uint64_t seed,
       const CheckpointPlace& place, const ServerFactor& server)
      : subject_(subject),
        options_(options),
        runtime_(runtime),
        seed_(seed),
        place_(place),
        optimizer_(main_parameters(subject), {.rule = nn::parse_rule(options.optimizer),
                                              .momentum = options.momentum,
                                              .weight_decay = options.weight_decay}) {
    const auto count = [](const nn::Part& part) { return part.layer->parameters().size(); };
    if (server) optimizer_.scale_updates(count(subject.model.head), count(subject.model.encoder), server);
    position_.sums = torch::zeros({kSums}, torch::kFloat64);
    if (leads()) load_checkpoint(place_, subject_, optimizer_, position_);
    position_.sums = position_.sums.to(runtime_.device);
    if (subject_.group) {
      synchronise_norms([group = subject_.group](const torch::Tensor& own) { return group->gather(own); });
      share_state(*subject_.group, subject_, optimizer_, position_);
    }
  }
  ~Loop() {
    if (subject_.group) synchronise_norms({});
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  TrainLog run(const std::function<void(const EpochLog&)>& on_epoch) {
    while (position_.epoch < options_.epochs) {
      run_epoch();
      const EpochLog log = close_epoch();
      save();
      if (on_epoch) on_epoch(log);
      // What each rank computes for itself may round differently on different processors.
      if (subject_.group) share_state(*subject_.group, subject_, optimizer_, position_);
    }
    if (options_.epochs == 0) save();
    return position_.log;
  }

 private:
  static constexpr std::int64_t kSums = 4;  // loss, cross-entropy, correct predictions, images

  static std::vector<torch::Tensor> main_parameters(const Subject& subject) {
    auto all = subject.frozen ? std::vector<torch::Tensor>{} : subject.model.parameters();
    for (const auto& parameter : subject.defense.trained_parameters()) all.push_back(parameter);
    return all;
  }

  /// Whether this process reads and writes the checkpoint.
  bool leads() const { return !subject_.group || subject_.group->rank() == 0; }

  void synchronise_norms(const nn::Exchange& exchange) {
    for (auto* part : {&subject_.model.head, &subject_.model.encoder}) nn::synchronise_norms(*part->layer, exchange);
  }

  /// The part's output for the whole batch, of which every rank of a group computes its share. What follows (release,
  /// classifier, penalties, adversaries) every rank computes for the whole batch, as one process alone does.
  torch::Tensor through(const nn::Part& part, const torch::Tensor& batch) {
    if (!subject_.group) return part.forward(batch);
    return ranks::join_shares(*subject_.group, part.forward(ranks::take_share(*subject_.group, batch)), batch.size(0));
  }

  /// Head's and encoder's gradients are of this rank's share; those of what every rank computes are whole already.
  void sum_gradients() {
    const auto divide = [&](const std::vector<torch::Tensor>& parameters) {
      for (const auto& parameter : parameters) parameter.grad().div_(subject_.group->size());
    };
    const torch::NoGradGuard no_grad;
    if (!subject_.frozen) divide(subject_.model.classifier.layer->parameters());
    divide(subject_.defense.trained_parameters());
    subject_.group->sum(optimizer_.gradients());
  }

  /// Whether a person asked any of the ranks to stop: they stop behind the same step.
  bool stop_requested() const {
    if (!subject_.group) return base::interrupt_requested();
    const auto requests = torch::full({1}, base::interrupt_requested() ? 1 : 0, torch::kInt64);
    subject_.group->sum(requests);
    return requests.item<std::int64_t>() > 0;
  }

  void run_epoch() {
    const data::EpochBatches batches(subject_.dataset, subject_.splits.train.indices, options_.batch,
                                     {.pad = options_.crop, .flip = options_.flip}, seed_, position_.epoch,
                                     runtime_.device);
    base::Progress progress(fmt::format("epoch {}/{}", position_.epoch + 1, options_.epochs), batches.count(), "steps");
    subject_.model.train(!subject_.frozen);
    auto begin = Clock::now();
    while (position_.step < batches.count()) {
      const double epoch = static_cast<double>(position_.epoch) +
                           static_cast<double>(position_.step) / static_cast<double>(batches.count());
      run_step(batches.get(position_.step), epoch);
      ++position_.step;
      progress.update(position_.step);
      if (!stop_requested()) continue;
      add_seconds(begin);
      save();
      progress.clear();
      throw base::Interrupted("stopped in epoch {}; the state is saved{}", position_.epoch + 1,
                              place_.file.empty() ? "" : ": the same command goes on from here");
    }
    add_seconds(begin);
  }

  void run_step(const data::Batch& batch, double epoch) {
    const auto index = static_cast<std::uint64_t>(position_.epoch) << 32 | static_cast<std::uint64_t>(position_.step);
    defense::Step step{.images = batch.images,
                       .labels = batch.labels,
                       .representation = {},
                       .feature = {},
                       .logits = {},
                       .cross_entropy = {},
                       .progress = epoch / static_cast<double>(options_.epochs),
                       .epoch = epoch,
                       .rate = learning_rate(options_, epoch),
                       .generator = tensor::make_generator(runtime_.device, seed_, "step", index)};
    forward(step);
    subject_.defense.update_adversary(step);
    auto loss = subject_.defense.task_weight(step) * step.cross_entropy;
    const auto penalty = subject_.defense.penalty(step);
    if (penalty.defined()) loss = loss + penalty;
    if (!optimizer_.parameters().empty()) descend(loss, step.rate);
    subject_.defense.finish_step();
    count(step, loss.detach(), step.cross_entropy.detach());
  }

  void descend(const torch::Tensor& loss, double rate) {
    optimizer_.zero_grad();
    // Only the main network's parameters: a penalty's path leads through adversaries that must not feel it.
    torch::autograd::backward({loss}, {}, {}, false, optimizer_.parameters());
    if (subject_.group) sum_gradients();
    if (options_.clip > 0) optimizer_.clip_gradient(options_.clip);
    optimizer_.step(rate);
  }

  void forward(defense::Step& step) {
    const tensor::Autocast autocast(runtime_);
    const auto phase = defense::Phase::train;
    step.representation = subject_.defense.release(through(subject_.model.head, step.images),
                                                   defense::Site::representation, phase, step.generator, step.images);
    step.feature = subject_.defense.release(through(subject_.model.encoder, step.representation),
                                            defense::Site::feature, phase, step.generator, step.images);
    // The device computes the loss, so the gradient that crosses the wire is the one in v.
    if (step.feature.requires_grad()) {
      step.feature.register_hook([this, draws = step.generator](const torch::Tensor& gradient) {
        auto generator = draws;  // another handle to the same one
        return subject_.defense.release_gradient(gradient, generator);
      });
    }
    step.logits = subject_.model.classifier.forward(step.feature).to(torch::kFloat32);
    step.cross_entropy = torch::cross_entropy_loss(step.logits, step.labels);
  }

  void count(const defense::Step& step, const torch::Tensor& loss, const torch::Tensor& task) {
    const auto size = static_cast<double>(step.labels.size(0));
    const auto correct = step.logits.detach().argmax(1).eq(step.labels).sum();
    position_.sums += torch::stack({loss * size, task * size, correct.to(loss.dtype()), torch::full_like(loss, size)});
  }

  EpochLog close_epoch() {
    auto report = subject_.defense.end_epoch();
    const auto sums = position_.sums.cpu();
    const auto mean = [&](std::int64_t i) { return sums[i].item<double>() / sums[3].item<double>(); };
    if (!std::isfinite(mean(0))) {
      throw base::Error(
          "the loss is not finite in epoch {}: lower the learning rate or the defence's weight; the checkpoint before "
          "it is kept",
          position_.epoch + 1);
    }
    EpochLog log{
        .epoch = position_.epoch + 1, .values = std::move(report.values), .warnings = std::move(report.warnings)};
    log.values["loss"] = mean(0);
    log.values["cross_entropy"] = mean(1);
    log.values["train_accuracy"] = mean(2);
    log.values["rate"] = learning_rate(options_, static_cast<double>(position_.epoch));
    if (subject_.splits.validation.indices.size(0) > 0) {
      log.values["validation_accuracy"] =
          evaluate(subject_, subject_.splits.validation.indices, runtime_, seed_).accuracy;
    }
    position_.log.epochs.push_back(log);
    ++position_.epoch;
    position_.step = 0;
    position_.sums.zero_();
    return log;
  }

  void add_seconds(Clock::time_point begin) {
    position_.log.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void save() {
    if (!place_.file.empty() && leads()) save_checkpoint(place_, subject_, optimizer_, position_);
  }

  const Subject& subject_;
  TrainOptions options_;
  tensor::Runtime runtime_;
  std::uint64_t seed_;
  CheckpointPlace place_;
  nn::Optimizer optimizer_;
  Position position_;
};

}  // namespace

TrainLog train(const Subject& subject, const TrainOptions& options, const tensor::Runtime& runtime, std::uint64_t seed,
               const CheckpointPlace& place, const std::function<void(const EpochLog&)>& on_epoch,
               const ServerFactor& server) {
  if (subject.splits.train.indices.size(0) < 2)
    throw base::UsageError("[data] train must leave at least 2 images to train on");
  return Loop(subject, options, runtime, seed, place, server).run(on_epoch);
}

}  // namespace infoscissors::train
