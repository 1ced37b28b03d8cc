#include "infoscissors/exporter/torchscript.h"

#include "infoscissors/base/error.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_conv_folding.h>

#include <sstream>

namespace infoscissors::exporter {
namespace {

namespace jit = torch::jit;

/// The graph's constants are the layer's own tensors, and a constant must not ask for a gradient. While it lives, none
/// does.
class WithoutGradients {
 public:
  explicit WithoutGradients(const torch::nn::Module& module) {
    for (auto& parameter : module.parameters()) {
      if (!parameter.requires_grad()) continue;
      parameter.set_requires_grad(false);
      parameters_.push_back(parameter);
    }
  }
  ~WithoutGradients() {
    for (auto& parameter : parameters_) parameter.set_requires_grad(true);
  }
  WithoutGradients(const WithoutGradients&) = delete;
  WithoutGradients& operator=(const WithoutGradients&) = delete;

 private:
  std::vector<torch::Tensor> parameters_;
};

/// Two samples: a size of 1 could be taken for a broadcast.
torch::Tensor example(const nn::Shape& shape) {
  auto sizes = shape;
  sizes.insert(sizes.begin(), 2);
  return torch::full(sizes, 0.5);
}

std::shared_ptr<jit::Graph> trace(const nn::Part& part, jit::Module& module) {
  const auto run = [&](const jit::Stack& inputs) -> jit::Stack {
    return {part.layer->forward(inputs.front().toTensor())};
  };
  const auto unnamed = [](const torch::autograd::Variable&) { return std::string(); };
  const auto state = jit::tracer::trace({example(part.input)}, run, unnamed, true, false, &module, {"input"}).first;
  return state->graph;
}

/// The lists of sizes become constants first: only a convolution of constants is folded.
void simplify(std::shared_ptr<jit::Graph>& graph) {
  jit::ConstantPropagation(graph);
  jit::FoldFrozenConvBatchnorm(graph);
  jit::EliminateDeadCode(graph);
}

/// Constants become parameters, so that whoever loads the file can move the network to another device or type.
void name_weights(jit::Graph& graph, jit::Module& module) {
  std::vector<jit::Node*> constants;
  for (auto* node : graph.nodes()) {
    const bool tensor = node->kind() == c10::prim::Constant && node->hasAttribute(c10::attr::value) &&
                        node->kindOf(c10::attr::value) == jit::AttributeKind::t;
    if (tensor && node->t(c10::attr::value).dim() > 0) constants.push_back(node);
  }
  auto* self = graph.inputs()[0];
  for (std::size_t i = 0; i < constants.size(); ++i) {
    const auto name = "weight" + std::to_string(i);
    module.register_parameter(name, constants[i]->t(c10::attr::value), /*is_buffer=*/false);
    const jit::WithInsertPoint here(constants[i]);
    auto* attribute = graph.insertNode(graph.createGetAttr(self, name))->output();
    constants[i]->output()->replaceAllUsesWith(attribute);
    constants[i]->destroy();
  }
}

}  // namespace

std::string to_torchscript(const nn::Part& part, const std::string& name) {
  const torch::NoGradGuard no_grad;
  part.layer->eval();
  part.layer->to(torch::kCPU);
  const WithoutGradients guard(*part.layer);
  jit::Module module("__torch__." + name);
  auto graph = trace(part, module);
  simplify(graph);
  name_weights(*graph, module);
  const c10::QualifiedName method(*module.type()->name(), "forward");
  module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(method, graph));
  std::ostringstream out;
  module.save(out);
  return out.str();
}

}  // namespace infoscissors::exporter
