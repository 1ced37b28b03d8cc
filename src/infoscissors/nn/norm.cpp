#include "infoscissors/nn/norm.h"

#include "infoscissors/nn/fused_norm.h"

#include <torch/nn/modules/batchnorm.h>

namespace infoscissors::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Over all processes. mean, variance (biased): (C) float32.
struct Moments {
  torch::Tensor mean, variance;
  double count = 0;  // elements of a channel
};

/// The processes' means and variances as one (Chan et al. 1979): exact, and without the cancellation of E[x^2] -
/// E[x]^2.
Moments joint_moments(const torch::Tensor& x, const Exchange& exchange) {
  const auto channels = x.size(1);
  const auto local = torch::zeros({2 * channels + 1}, torch::TensorOptions(torch::kFloat64).device(x.device()));
  if (x.size(0) > 0) {
    const auto scratch = torch::zeros({channels}, local.options().dtype(torch::kFloat32));
    const auto [mean, variance] = at::batch_norm_update_stats(x, scratch, scratch.clone(), /*momentum=*/0);
    local.narrow(0, 0, channels).copy_(mean);
    local.narrow(0, channels, channels).copy_(variance);
    local[2 * channels] = static_cast<double>(x.numel() / channels);
  }
  const auto all = exchange(local);
  const auto means = all.narrow(1, 0, channels), variances = all.narrow(1, channels, channels);
  const auto counts = all.narrow(1, 2 * channels, 1);
  const auto total = counts.sum();
  const auto mean = (means * counts).sum(0) / total;
  const auto variance = ((variances + (means - mean).square()) * counts).sum(0) / total;
  return {mean.to(torch::kFloat32), variance.to(torch::kFloat32), total.item<double>()};
}

/// y = (x - mean) / sqrt(variance + eps) * weight + bias with the gradient that flows through mean and variance of all
/// processes. weight, bias: (C).
class JointNorm : public torch::autograd::Function<JointNorm> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& mean, const torch::Tensor& variance,
                               double count, double eps, const Exchange* exchange) {
    context->save_for_backward({x, weight, mean, variance});
    context->saved_data["count"] = count;
    context->saved_data["eps"] = eps;
    context->saved_data["exchange"] = reinterpret_cast<std::int64_t>(exchange);  // of the layer, which outlives a step
    if (x.size(0) == 0) return x.clone();
    return std::get<0>(at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false, /*momentum=*/0, eps));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const double count = context->saved_data["count"].toDouble(), eps = context->saved_data["eps"].toDouble();
    const auto& exchange = *reinterpret_cast<const Exchange*>(context->saved_data["exchange"].toInt());
    // As if mean and variance were constants; also the sums of dy and of dy times the normalised x.
    torch::Tensor of_x = torch::zeros_like(x), of_weight = torch::zeros_like(mean), of_bias = torch::zeros_like(mean);
    if (x.size(0) > 0) {
      std::tie(of_x, of_weight, of_bias) = at::native_batch_norm_backward(gradients[0], x, weight, mean, variance, {},
                                                                          {}, false, eps, {true, true, true});
    }
    const auto sums = exchange(torch::stack({of_weight, of_bias}).to(torch::kFloat64)).sum(0).to(torch::kFloat32);
    const auto inverse = (variance + eps).rsqrt();
    const auto scale = weight * inverse;
    const auto slope = -scale * inverse * sums[0] / count;
    const auto offset = -scale * sums[1] / count - slope * mean;
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(x.dim()), 1);
    sizes[1] = x.size(1);
    // In float32: bf16 would round three times.
    const auto plain =
        of_x.to(torch::kFloat32).addcmul_(x.to(torch::kFloat32), slope.view(sizes)).add_(offset.view(sizes));
    return {plain.to(x.scalar_type()), of_weight, of_bias, {}, {}, {}, {}, {}};
  }
};

/// What every batch norm has beside its type.
class Synchronisable {
 public:
  virtual ~Synchronisable() = default;
  Exchange exchange;
};

/// A batch norm of libtorch that may belong to several processes; alone it is just that.
template <class Holder>
class Norm : public Wrap<Holder>, public Synchronisable {
 public:
  using Wrap<Holder>::Wrap;
  torch::Tensor forward(const torch::Tensor& input) override {
    if (!exchange || !this->is_training()) return Wrap<Holder>::forward(input);
    auto module = this->module();
    const auto moments = update(input, *module);
    const bool affine = module->weight.defined();
    const auto weight = affine ? module->weight : torch::ones_like(moments.mean);
    const auto bias = affine ? module->bias : torch::zeros_like(moments.mean);
    return JointNorm::apply(input, weight, bias, moments.mean, moments.variance, moments.count, module->options.eps(),
                            &exchange);
  }

 private:
  template <class Module>
  Moments update(const torch::Tensor& input, Module& module) {
    const torch::NoGradGuard no_grad;
    auto moments = joint_moments(input, exchange);
    const double momentum = *module.options.momentum();
    module.num_batches_tracked += 1;
    module.running_mean.mul_(1 - momentum).add_(moments.mean, momentum);
    module.running_var.mul_(1 - momentum).add_(moments.variance, momentum * moments.count / (moments.count - 1));
    return moments;
  }
};

}  // namespace

LayerPtr batch_norm(std::int64_t channels, bool spatial, bool affine) {
  const auto options = torch::nn::BatchNormOptions(channels).affine(affine);
  if (spatial) return std::make_shared<Norm<torch::nn::BatchNorm2d>>(torch::nn::BatchNorm2d(options));
  return std::make_shared<Norm<torch::nn::BatchNorm1d>>(torch::nn::BatchNorm1d(options));
}

torch::Tensor norm_join(Layer& norm, const torch::Tensor& x, const torch::Tensor& residual, bool rectified) {
  auto* single = dynamic_cast<Norm<torch::nn::BatchNorm2d>*>(&norm);
  if (single && !single->exchange && single->is_training() && can_fuse(x, residual)) {
    auto module = single->module();
    module->num_batches_tracked += 1;
    return fused_norm(x,
                      {.weight = module->weight,
                       .bias = module->bias,
                       .running_mean = module->running_mean,
                       .running_var = module->running_var,
                       .momentum = *module->options.momentum(),
                       .eps = module->options.eps()},
                      residual, rectified);
  }
  auto y = norm.forward(x);
  if (residual.defined()) y = y.add_(residual);
  return rectified ? torch::relu(y) : y;
}

void synchronise_norms(torch::nn::Module& root, const Exchange& exchange) {
  for (const auto& module : root.modules()) {
    if (auto* norm = dynamic_cast<Synchronisable*>(module.get())) norm->exchange = exchange;
  }
}

}  // namespace infoscissors::nn
