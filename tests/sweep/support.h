#pragma once

#include "infoscissors/base/file.h"
#include "infoscissors/sweep/expand.h"

#include "tests/support/temporary_directory.h"

#include <string>

namespace infoscissors::sweep {

inline constexpr const char* kHead =
    "name = \"test\"\n"
    "seeds = [0, 1]\n"
    "attacks = [\"ka(decoder=linear)\", \"pmc\"]\n"
    "[base.data]\n"
    "name = \"synthetic\"\n"
    "train = 96\n"
    "[base.model]\n"
    "width = 0.25\n";

/// The plan of a sweep file with this text.
inline Plan plan_of(const std::string& text) {
  const tests::TemporaryDirectory directory;
  base::write_file(directory / "sweep.toml", text);
  return make_plan(load_sweep_file(directory / "sweep.toml"));
}

inline Plan plan_with(const std::string& defenses) {
  return plan_of(kHead + defenses);
}

}  // namespace infoscissors::sweep
