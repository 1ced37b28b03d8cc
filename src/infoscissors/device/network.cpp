#include "infoscissors/device/network.h"

#include "infoscissors/base/error.h"

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <sstream>

namespace infoscissors::device {
namespace {

using base::Error;

std::vector<std::int64_t> batch_of_one(const std::vector<std::int64_t>& shape) {
  auto sizes = shape;
  sizes.insert(sizes.begin(), 1);
  return sizes;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Network::Network(const std::filesystem::path& half, const bundle::Manifest& manifest, const std::string& file,
                 const std::vector<std::int64_t>& input, const std::vector<std::int64_t>& output) {
  const auto path = (half / file).string();
  std::istringstream content(bundle::read_part(half, manifest, file));
  torch::Tensor result;
  try {
    module_ = torch::jit::load(content, torch::kCPU);
    module_.eval();
    result = run(torch::zeros(batch_of_one(input)));
  } catch (const std::exception& error) {
    throw Error("{}: cannot be run: {}", path, first_line(error.what()));
  }
  if (result.sizes() != batch_of_one(output) || result.scalar_type() != torch::kFloat32) {
    throw Error("{}: computes shape [{}] where the manifest says [{}]", path, fmt::join(result.sizes().vec(), ","),
                fmt::join(batch_of_one(output), ","));
  }
}

torch::Tensor Network::run(const torch::Tensor& batch) const {
  const torch::NoGradGuard no_grad;
  // The optimising executor measures its first runs and compiles for their sizes, which costs a device that sends one
  // picture now and then more than it ever gets back. Both settings are of the thread.
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  return module_.forward({batch}).toTensor().contiguous();
}

}  // namespace infoscissors::device
