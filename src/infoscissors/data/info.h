#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/image/image.h"

#include <cstdint>
#include <string>

namespace infoscissors::data {

/// Name, shape, images of each class in the training and the test part, the sizes of the splits `options` ask for (or
/// why they cannot be had), mean and standard deviation of the training part.
base::Json describe_dataset(const Dataset& dataset, const DataOptions& options);

/// The same document for people.
std::string print_description(const base::Json& description);

/// A row for each class with its first `columns` images, in the order of the classes, on white.
image::Image contact_sheet(const Dataset& dataset, std::int64_t columns = 10);

}  // namespace infoscissors::data
