#include "infoscissors/nn/split_model.h"

#include "infoscissors/base/error.h"
#include "infoscissors/nn/backbone.h"
#include "infoscissors/nn/decoder.h"

#include <torch/nn/modules/conv.h>

#include <algorithm>

namespace infoscissors::nn {
namespace {

using base::UsageError;

struct Family {
  BackboneDoc doc;
  Backbone (*make)(std::int64_t, double);
};

const std::vector<Family>& families() {
  static const std::vector<Family> list = {
      {{"mobilenet-v2", "MobileNetV2, 32x32 form (Sandler et al. 2018)"}, mobilenet_v2},
      {{"resnet-small", "residual network, 16 channels, one block a stage: for processors and tests"}, resnet_small},
      {{"resnet18", "ResNet-18, 32x32 form (He et al. 2016): the paper's network at width 1"}, resnet18},
      {{"vgg11", "VGG-11 with batch norm (Simonyan and Zisserman 2015)"}, vgg11},
  };
  return list;
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const auto& family : families()) names.push_back(family.doc.name);
  return names;
}

/// (x - mean) / std per channel.
class Normalise : public Layer {
 public:
  Normalise(const std::vector<double>& mean, const std::vector<double>& std) {
    const auto column = [](const std::vector<double>& values) {
      return torch::tensor(values, torch::kFloat64).to(torch::kFloat32).view({1, -1, 1, 1});
    };
    mean_ = register_buffer("mean", column(mean));
    scale_ = register_buffer("scale", column(std).clamp_min(1e-6).reciprocal());
  }
  torch::Tensor forward(const torch::Tensor& x) override { return (x - mean_) * scale_; }

 private:
  torch::Tensor mean_, scale_;
};

Part make_part(LayerPtr layer, const Shape& input) {
  Shape output = output_shape(*layer, input);
  return {std::move(layer), input, std::move(output)};
}

/// Lays the weights of convolutions out channels-last, by which oneDNN chooses the layout of what they give. Images of
/// one channel leave it open, and the whole network would run in the slower layout. Not those in groups: they hold one
/// channel each.
void lay_out(torch::nn::Module& root) {
  const torch::NoGradGuard no_grad;
  for (const auto& module : root.modules()) {
    auto* conv = module->as<torch::nn::Conv2dImpl>();
    if (conv == nullptr || conv->options.groups() != 1) continue;
    const auto& weight = conv->weight;
    if (weight.suggest_memory_format() == torch::MemoryFormat::ChannelsLast) continue;
    // Not contiguous(): for a single channel it would see nothing to do.
    const auto laid_out =
        torch::empty({weight.size(0), weight.size(2), weight.size(3), weight.size(1)}, weight.options())
            .permute({0, 3, 1, 2});
    conv->weight.set_data(laid_out.copy_(weight));
  }
}

void check_task(const ModelTask& task) {
  if (task.input.size() != 3) {
    throw UsageError("[model] the backbones take images (C, H, W), but the data's shape is {}", to_string(task.input));
  }
  if (std::min(task.input[1], task.input[2]) < 8) {
    throw UsageError("[model] images must be at least 8x8, but the data's shape is {}", to_string(task.input));
  }
}

}  // namespace

base::Fields ModelOptions::fields() {
  return {
      {"backbone", &backbone, base::one_of(family_names()), "network"},
      {"width", &width, base::between(0.01, 16), "multiplier of every channel count"},
      {"head_stages", &head_stages, base::between(0, kStages),
       "stages on the device behind the first convolution; 0: the first convolution alone"},
      {"classifier_layers", &classifier_layers, base::between(1, 3), "linear layers on the device, the last ones"},
      {"classifier_width", &classifier_width, base::between(1, 65536), "hidden width where the classifier has several"},
  };
}

void SplitModel::train(bool on) {
  for (const auto* part : {&head, &encoder, &classifier}) part->layer->train(on);
}

void SplitModel::to(const torch::Device& device) {
  for (const auto* part : {&head, &encoder, &classifier}) {
    part->layer->to(device);
    lay_out(*part->layer);
  }
}

std::vector<torch::Tensor> SplitModel::parameters() const {
  std::vector<torch::Tensor> all;
  for (const auto* part : {&head, &encoder, &classifier}) {
    for (auto& parameter : part->layer->parameters()) all.push_back(parameter);
  }
  return all;
}

SplitModel make_split_model(const ModelOptions& options, const ModelTask& task) {
  check_task(task);
  const auto family = std::find_if(families().begin(), families().end(),
                                   [&](const Family& f) { return f.doc.name == options.backbone; });
  if (family == families().end()) {
    throw UsageError("[model] there is no backbone '{}': {}", options.backbone,
                     base::suggestion(options.backbone, family_names()));
  }
  const Backbone net = family->make(task.input[0], options.width);
  auto head = std::make_shared<Sequence>();
  auto encoder = std::make_shared<Sequence>();
  head->append("normalise", std::make_shared<Normalise>(task.mean, task.std));
  for (std::size_t i = 0; i < net.blocks.size(); ++i) {
    const bool on_device = static_cast<std::int64_t>(i) <= options.head_stages;
    (on_device ? head : encoder)->append(net.blocks[i].name, net.blocks[i].layer);
  }
  SplitModel model;
  model.head = make_part(head, task.input);
  model.encoder = make_part(encoder, model.head.output);
  model.classifier = make_part(
      make_mlp(net.features, options.classifier_width, task.classes, options.classifier_layers), model.encoder.output);
  return model;
}

std::vector<BackboneDoc> backbones() {
  std::vector<BackboneDoc> docs;
  for (const auto& family : families()) docs.push_back(family.doc);
  return docs;
}

}  // namespace infoscissors::nn
