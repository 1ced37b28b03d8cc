#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/defense/defense.h"

#include <cstdint>
#include <string>
#include <vector>

namespace infoscissors::tests {

inline torch::Generator generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

/// A tensor as the golden scripts write it: {shape, values}.
inline torch::Tensor tensor_of(const base::Json& entry) {
  return torch::tensor(entry.at("values").get<std::vector<float>>())
      .view(entry.at("shape").get<std::vector<std::int64_t>>());
}

inline torch::Tensor labels_of(const base::Json& entry) {
  return torch::tensor(entry.get<std::vector<std::int64_t>>());
}

/// One method's part of data/baselines.json.
inline base::Json golden(const std::string& method) {
  return base::read_json(std::string(INFOSCISSORS_TEST_DATA) + "/baselines.json").at(method);
}

/// A defence for one-channel images of r's size.
inline defense::DefensePtr make(const std::string& spec, const nn::Shape& r, const nn::Shape& v = {5},
                                std::int64_t classes = 3) {
  auto made = defense::make_defense(spec);
  made->setup({.image = {1, r.at(1), r.at(2)},
               .representation = r,
               .feature = v,
               .classes = classes,
               .epochs = 2,
               .runtime = {},
               .seed = 9});
  return made;
}

}  // namespace infoscissors::tests
