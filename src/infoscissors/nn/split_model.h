#pragma once

#include "infoscissors/base/options.h"
#include "infoscissors/nn/layer.h"

#include <cstdint>
#include <string>

namespace infoscissors::nn {

/// One of the three parts of a split network with its declared shapes (without the batch dimension).
struct Part {
  LayerPtr layer;
  Shape input;
  Shape output;
  torch::Tensor forward(const torch::Tensor& x) const { return layer->forward(x); }
};

/// A network cut twice (Duan et al. 2024, section 3): p = classifier(encoder(head(x))).
/// head and classifier live on the device, the encoder on the server.
struct SplitModel {
  Part head;        // x in [0, 1] -> representation r; normalisation is its first layer
  Part encoder;     // r -> feature v
  Part classifier;  // v -> logits (B, K)

  void train(bool on);
  void to(const torch::Device& device);
  std::vector<torch::Tensor> parameters() const;
};

/// What is built and where it is cut.
struct ModelOptions {
  std::string backbone = "resnet-small";
  double width = 1.0;                  // multiplier of every channel count
  std::int64_t head_stages = 0;        // 0: the first convolution (with its batch norm and ReLU) alone
  std::int64_t classifier_layers = 1;  // linear layers on the device
  std::int64_t classifier_width = 64;  // hidden width where there is more than one
  base::Fields fields();
};

/// What the network must fit.
struct ModelTask {
  Shape input;  // {C, H, W}
  std::int64_t classes = 0;
  std::vector<double> mean, std;  // per channel, for the normalisation in front of the head
};

/// Throws UsageError for options that do not fit the task (an image too small for the backbone's strides).
SplitModel make_split_model(const ModelOptions& options, const ModelTask& task);

/// The names of the backbones with a line about each.
struct BackboneDoc {
  std::string name;
  std::string summary;
};
std::vector<BackboneDoc> backbones();

}  // namespace infoscissors::nn
