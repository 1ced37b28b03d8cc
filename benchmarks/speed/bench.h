#pragma once

#include "benchmarks/speed/work.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/experiment/workbench.h"

#include <memory>

namespace infoscissors::speed {

/// The settings over defaults of a benchmark: synthetic data without validation images.
experiment::RunConfig make_config(const Options& options);

/// A workbench like experiment::make_workbench's on as many synthetic images as the settings ask for; they repeat, and
/// the labels go round `options.classes` classes.
std::shared_ptr<experiment::Workbench> make_bench(const Options& options);

/// Weights under "head.", "encoder.", "classifier." and the names of the defence's modules.
void put_weights(experiment::Workbench& bench, tensor::TensorFile& file, const std::string& prefix);

/// The data set, the indices of its training images, and the configuration as metadata.
void put_setup(experiment::Workbench& bench, tensor::TensorFile& file);

/// Every option of a method by name: the schema's defaults and over them what the specification says.
base::Json resolve(const base::Json& schema, const base::Spec& spec);

/// A seed as the other side reads it.
torch::Tensor seed_tensor(std::uint64_t seed);

}  // namespace infoscissors::speed
