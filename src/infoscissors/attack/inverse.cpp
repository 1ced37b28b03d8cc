#include "infoscissors/attack/inverse.h"

#include "infoscissors/attack/fit.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace infoscissors::attack {
namespace {

// Convolutions with few channels run about a third faster on processors when the channels lie together.
torch::Tensor fast_layout(const torch::Tensor& input) {
  return input.dim() == 4 ? input.contiguous(torch::MemoryFormat::ChannelsLast) : input;
}

/// Gives a batch of samples another shape.
class Reshape : public nn::Layer {
 public:
  explicit Reshape(nn::Shape shape) : shape_(std::move(shape)) { shape_.insert(shape_.begin(), -1); }
  torch::Tensor forward(const torch::Tensor& input) override { return input.reshape(shape_); }

 private:
  nn::Shape shape_;
};

/// The weights with the lowest loss on the attacker's own validation pairs.
struct Best {
  double loss = std::numeric_limits<double>::infinity();
  std::int64_t step = 0;
  bool finite = false;  // whether any loss since the first step was
  std::map<std::string, torch::Tensor> weights;
};

void keep_if_better(nn::Layer& net, const Pairs& held, std::int64_t step, Best& best) {
  net.eval();
  const auto output =
      in_slices(held.inputs, held.inputs.device(), [&](const auto& r) { return net.forward(fast_layout(r)); });
  const auto loss = torch::mse_loss(output, held.images).item<double>();
  const bool finite = best.finite || (step > 0 && std::isfinite(loss));
  if (loss < best.loss) best = {.loss = loss, .step = step, .weights = snapshot(net)};
  best.finite = finite;
}

/// Where a training stands, as a page of the notebook.
class Place {
 public:
  Place(Notebook notebook, nn::Layer& net, nn::Optimizer& optimizer, Best& best)
      : notebook_(std::move(notebook)), net_(net), optimizer_(optimizer), best_(best) {}

  void write(std::int64_t step) const {
    if (!notebook_.write) return;
    Notebook::Page page = {{"at", torch::tensor(std::vector<std::int64_t>{step, best_.step, best_.finite ? 1 : 0})},
                           {"loss", torch::tensor(best_.loss, torch::kFloat64)}};
    put(page, "net.", nn::state_of(net_));
    put(page, "optimizer.", optimizer_.state());
    put(page, "best.", best_.weights);
    notebook_.write(kPage, page);
  }

  // The step to go on from.
  std::int64_t read() const {
    if (!notebook_.read) return 0;
    const auto page = notebook_.read(kPage);
    if (page.empty()) return 0;
    nn::load_state(net_, take(page, "net."));
    optimizer_.load_state(take(page, "optimizer."));
    const auto& at = page.at("at");
    best_ = {.loss = page.at("loss").item<double>(),
             .step = at[1].item<std::int64_t>(),
             .finite = at[2].item<std::int64_t>() == 1,
             .weights = take(page, "best.")};
    return at[0].item<std::int64_t>();
  }

 private:
  static constexpr const char* kPage = "inverse";
  static void put(Notebook::Page& page, const std::string& prefix, const Notebook::Page& part) {
    for (const auto& [name, tensor] : part) page[prefix + name] = tensor;
  }
  static Notebook::Page take(const Notebook::Page& page, const std::string& prefix) {
    Notebook::Page part;
    for (const auto& [name, tensor] : page) {
      if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
    }
    return part;
  }

  Notebook notebook_;
  nn::Layer& net_;
  nn::Optimizer& optimizer_;
  Best& best_;
};

}  // namespace

base::Fields InverseOptions::fields() {
  return {
      {"decoder", &decoder, base::one_of(nn::decoder_families()), "family of the inverse network"},
      {"budget", &budget, base::at_least(4), "auxiliary images the device is queried on"},
      {"width", &width, base::between(1, 4096), "hidden channels of the decoder"},
      {"epochs", &epochs, base::at_least(1), "passes over the queried pairs"},
      {"steps", &steps, base::at_least(1), "least number of optimiser steps, however small the budget"},
      {"batch", &batch, base::at_least(1), "pairs an optimiser step"},
      {"rate", &rate, base::greater_than(0), "Adam's learning rate at the start of its half cosine"},
      {"validation", &validation, base::between(0.01, 0.5), "share of the queried pairs that picks the stopping point"},
      {"draws", &draws, base::at_least(1), "passes that query the device anew and so see fresh draws of its noise"},
  };
}

nn::LayerPtr make_inverse(const std::string& family, const nn::Shape& input, const nn::Shape& image,
                          std::int64_t width) {
  if (image.size() == 3) return nn::make_decoder(family, input, image, width);
  const auto elements = nn::element_count(image);
  const auto channels = image.size() > 1 ? image.front() : 1, columns = image.back();
  auto net = std::make_shared<nn::Sequence>();
  net->append("decoder", nn::make_decoder(family, input, {channels, elements / channels / columns, columns}, width));
  net->append("shape", std::make_shared<Reshape>(image));
  return net;
}

void fit_inverse(const std::string& attack, nn::Layer& net, Pairs pairs, const Redraw& redraw,
                 const InverseOptions& options, const NoQueryView& view, base::Json& details) {
  const auto count = pairs.inputs.size(0);
  const auto held =
      std::clamp<std::int64_t>(std::llround(options.validation * static_cast<double>(count)), 1, count - 1);
  auto training = pairs.part(held, count);
  BatchStream batches(count - held, options.batch, tensor::make_generator(torch::kCPU, view.seed, attack + ":order"));
  const auto passes = batches.per_pass();
  const auto steps = std::max(options.steps, options.epochs * passes);
  const auto every = std::max(passes, steps / 100), noted = std::max(passes, steps / 10);
  nn::Optimizer optimizer(net.parameters(), {.rule = nn::Rule::adam});
  base::Progress progress(attack, steps);
  Best best;
  const Place place(options.draws == 1 ? view.notebook : Notebook{}, net, optimizer, best);
  const auto begin = place.read();
  if (begin == 0) keep_if_better(net, pairs.part(0, held), 0, best);
  for (std::int64_t i = 0; i < begin; ++i) batches.next();
  for (std::int64_t step = begin; step < steps; ++step) {
    if (base::interrupt_requested()) place.write(step);
    stop_if_interrupted(attack);
    if (step > begin && step % noted == 0) place.write(step);
    const auto index = batches.next().to(training.inputs.device());
    const auto images = training.images.index_select(0, index);
    const auto pass = step / passes;
    if (pass > 0 && pass < options.draws) training.inputs.index_copy_(0, index, redraw(images));
    net.train();
    optimizer.zero_grad();
    const auto output = net.forward(fast_layout(training.inputs.index_select(0, index)));
    torch::mse_loss(output, images).backward();
    optimizer.step(cosine_rate(options.rate, step, steps));
    if ((step + 1) % every == 0 || step + 1 == steps) keep_if_better(net, pairs.part(0, held), step + 1, best);
    progress.update(step + 1);
  }
  if (!best.finite) throw base::Error("[{}] the decoder's loss is not finite: lower the rate", attack);
  nn::load_state(net, best.weights);
  net.eval();
  details["training_pairs"] = count - held;
  details["validation_pairs"] = held;
  details["steps"] = steps;
  details["best_step"] = best.step;
  details["validation_mse"] = best.loss;
}

torch::Tensor invert_with(nn::Layer& net, const torch::Tensor& inputs, const torch::Device& device,
                          const std::function<torch::Tensor(const torch::Tensor&)>& prepare) {
  return in_slices(inputs, device,
                   [&](const torch::Tensor& r) { return net.forward(fast_layout(prepare(r))).clamp(0, 1); });
}

torch::Tensor mean_guess(const torch::Tensor& images, std::int64_t count) {
  return images.mean(0).unsqueeze(0).repeat_interleave(count, 0);
}

}  // namespace infoscissors::attack
