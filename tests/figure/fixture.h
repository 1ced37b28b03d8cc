#pragma once

#include "infoscissors/study/study.h"

#include <cstdint>
#include <filesystem>

namespace infoscissors::figure {

/// Three seeds of none and of infoscissors, an and mid at three strengths each, with ka at two budgets and two
/// decoders, rmle and both heads of pmc; smooth curves with a little of the seed in them.
study::Study fabricated_study();

/// A run directory with pictures of ka(decoder=res) under it; `shade` is the grey of its reconstructions.
void store_pictured_run(const std::filesystem::path& directory, const std::string& defense, std::uint64_t seed,
                        int shade);

}  // namespace infoscissors::figure
