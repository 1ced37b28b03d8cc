#pragma once

#include <cstdint>
#include <vector>

namespace infoscissors::tune {

/// One round of successive halving (Jamieson and Talwalkar, AISTATS 2016).
struct Rung {
  std::int64_t epochs = 0;  // for which every setting that is left is trained
  std::int64_t enter = 0;   // settings that are tried
  std::int64_t keep = 0;    // of them that go on
};

/// `count` settings on at most `rungs` rungs: each rung trains `eta` times as long as the one before, the last for all
/// `epochs`, and passes on the best 1/eta, rounded up; the last passes on one. Rungs that would train as long as the
/// next are left out.
std::vector<Rung> plan_rungs(std::int64_t count, std::int64_t epochs, std::int64_t rungs, std::int64_t eta);

}  // namespace infoscissors::tune
