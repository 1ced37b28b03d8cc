#pragma once

#include "infoscissors/results/record.h"

#include <cstdint>
#include <string>

namespace infoscissors::study {

/// A complete record as a run leaves it; accuracy and leakage follow from the strength and the seed.
struct Fabricated {
  std::string defense = "none";
  std::uint64_t seed = 0;
  std::string dataset = "fashion-mnist";
  double accuracy = 0.9;
  double ssim = 0.95;   // of ka(decoder=res); rmle has 0.01 more
  double labels = 0.8;  // of pmc
};

results::RunRecord record_of(const Fabricated& wanted);

}  // namespace infoscissors::study
