#pragma once

#include "infoscissors/nn/layer.h"

#include <string>
#include <vector>

namespace infoscissors::nn {

/// Decoder families: networks from a representation (or any tensor) back to an image in [0, 1].
///   linear: one layer (a 3x3 convolution where sizes match, a transposed convolution or a linear map otherwise)
///   conv:   three 3x3 convolutions with ReLU between, upsampling where the input is smaller than the image
///   res:    residual blocks with batch norm
/// Every family ends in a sigmoid. `width` is the number of hidden channels. Throws UsageError for an unknown family.
LayerPtr make_decoder(const std::string& family, const Shape& input, const Shape& image, std::int64_t width);

std::vector<std::string> decoder_families();

/// Fully connected network with ReLU between; `layers` >= 1 counts the linear maps; flattens its input first.
LayerPtr make_mlp(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs, std::int64_t layers);

/// Batch norm without scale and shift for tensors of shape `input` (per channel, or per element of a vector): what an
/// adversary sees through it does not depend on the scale of what is exposed.
LayerPtr make_standardiser(const Shape& input);

}  // namespace infoscissors::nn
