#include "infoscissors/execute/torch_executor.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/tensor/torch.h"

#include <ATen/Parallel.h>
#include <torch/script.h>

#include <sstream>
#include <thread>

namespace infoscissors::execute {
namespace {

class TorchExecutor : public serve::Executor {
 public:
  TorchExecutor(torch::jit::Module module, std::vector<std::int64_t> input, std::vector<std::int64_t> output,
                const Options& options)
      : module_(std::move(module)),
        input_shape_(std::move(input)),
        output_shape_(std::move(output)),
        options_(options) {}

  float* input(std::int64_t rows) override {
    const c10::InferenceMode inference;
    input_shape_[0] = rows;
    // Reused while the batch size stays; the network's output never aliases it, see run().
    if (!input_.defined() || input_.size(0) != rows) input_ = torch::empty(input_shape_, torch::kFloat32);
    return input_.data_ptr<float>();
  }

  Output run(std::int64_t rows) override {
    const c10::InferenceMode inference;
    set_threads();
    auto output = module_.forward({options_.bf16 ? input_.to(torch::kBFloat16) : input_}).toTensor();
    output_shape_[0] = rows;
    if (output.sizes() != output_shape_) {
      std::ostringstream shape;
      shape << output.sizes();
      throw base::Error("the network's output has shape {}, not that of the manifest", shape.str());
    }
    output = output.to(torch::kFloat32).contiguous();
    // A network without layers may hand its input back, which the next batch overwrites.
    if (output.is_alias_of(input_)) output = output.clone();
    auto kept = std::make_shared<const torch::Tensor>(std::move(output));
    return {.keep = kept, .data = kept->data_ptr<float>()};
  }

 private:
  /// OpenMP's number of threads belongs to the calling thread; the first runs are another's than the batcher's.
  void set_threads() {
    if (thread_ == std::this_thread::get_id()) return;
    at::set_num_threads(options_.threads > 0 ? options_.threads : base::available_cores());
    thread_ = std::this_thread::get_id();
  }

  torch::jit::Module module_;
  std::vector<std::int64_t> input_shape_, output_shape_;
  const Options options_;
  torch::Tensor input_;
  std::thread::id thread_;  // for which the number of threads was set
};

}  // namespace

serve::ExecutorFactory torch_executor(Options options) {
  return [options](const std::filesystem::path& directory, const bundle::Manifest& manifest) {
    std::istringstream content(bundle::read_part(directory, manifest, bundle::kEncoder));
    try {
      auto module = torch::jit::load(content, torch::kCPU);
      module.eval();
      if (options.bf16) module.to(torch::kBFloat16);
      return std::make_unique<TorchExecutor>(std::move(module), manifest.inputs.at(0).shape,
                                             manifest.outputs.at(0).shape, options);
    } catch (const std::exception&) {
      throw base::Error("{} is no TorchScript network that this libtorch can load",
                        (directory / bundle::kEncoder).string());
    }
  };
}

}  // namespace infoscissors::execute
