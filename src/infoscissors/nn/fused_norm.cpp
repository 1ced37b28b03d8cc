#include "infoscissors/nn/fused_norm.h"

#include "infoscissors/nn/norm_kernel.h"

namespace infoscissors::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// libtorch 1.13 takes no undefined tensor in a function's arguments: without a residual an empty one stands there.
class FusedNorm : public torch::autograd::Function<FusedNorm> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& residual, const NormState& state,
                               bool rectified) {
    const bool joined = residual.numel() > 0;
    const auto [mean, variance] = kernel::moments(x);
    if (state.running_mean.defined()) {
      const auto count = static_cast<double>(x.numel() / x.size(1));
      state.running_mean.mul_(1 - state.momentum).add_(mean, state.momentum);
      state.running_var.mul_(1 - state.momentum).add_(variance, state.momentum * count / (count - 1));
    }
    const auto inverse = (variance + state.eps).rsqrt();
    const auto scale = weight * inverse;
    const auto y = kernel::apply(x, mean, scale, bias, joined ? residual : torch::Tensor(), rectified);
    context->save_for_backward({x, mean, inverse, scale, rectified ? y : torch::Tensor()});
    context->saved_data["joined"] = joined;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &mean = saved[1], &inverse = saved[2], &scale = saved[3], &y = saved[4];
    const auto dy = gradients[0].to(x.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto sums = kernel::gradient_sums(dy, y, x, mean, context->saved_data["joined"].toBool());
    const auto count = static_cast<double>(x.numel() / x.size(1));
    const auto slope = (-scale * inverse.square() * sums.centred / count).to(torch::kFloat32);
    const auto offset = (-scale * sums.plain / count).to(torch::kFloat32);
    // The gradient that was kept has gone through the rectifier already.
    const bool kept = sums.gradient.defined();
    const auto dx =
        kernel::gradient(kept ? sums.gradient : dy, kept ? torch::Tensor() : y, x, mean, scale, slope, offset);
    return {dx, (sums.centred * inverse).to(torch::kFloat32), sums.plain.to(torch::kFloat32), sums.gradient, {}, {}};
  }
};

bool fits(const torch::Tensor& tensor) {
  const auto type = tensor.scalar_type();
  return tensor.is_cpu() && tensor.dim() == 4 && tensor.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
         (type == torch::kFloat32 || type == torch::kBFloat16);
}

}  // namespace

bool can_fuse(const torch::Tensor& x, const torch::Tensor& residual) {
  if (!fits(x) || x.numel() <= x.size(1)) return false;
  return !residual.defined() ||
         (fits(residual) && residual.sizes() == x.sizes() && residual.scalar_type() == x.scalar_type());
}

torch::Tensor fused_norm(const torch::Tensor& x, const NormState& state, const torch::Tensor& residual,
                         bool rectified) {
  const auto or_all = [&](const torch::Tensor& given, double value) {
    return given.defined() ? given : torch::full({x.size(1)}, value, torch::kFloat32);
  };
  return FusedNorm::apply(x, or_all(state.weight, 1), or_all(state.bias, 0),
                          residual.defined() ? residual : torch::empty({0}), state, rectified);
}

}  // namespace infoscissors::nn
