#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/bench/measure.h"

#include <cstdint>
#include <string>
#include <vector>

namespace infoscissors::bench {

/// The device's accuracy through one layer, on the same images with the same draws of the defence.
struct Accuracy {
  std::string layer, encoding;
  double share = 0;
  std::int64_t images = 0;
};

/// A bar that the runtime has to clear, and whether it did.
struct Bar {
  std::string text;
  double measured = 0, bar = 0;
  bool met = false;
};

struct Report {
  std::string model, version;
  std::vector<std::int64_t> input;  // of one row
  std::int64_t threads = 0;
  double seconds = 0;
  std::size_t repetitions = 0;
  std::vector<Cell> cells;
  std::vector<Accuracy> accuracies;
};

/// Names of the layers that the bars compare.
inline constexpr const char* kBare = "bare network";
inline constexpr const char* kInProcess = "in process";
inline constexpr const char* kGrpc = "gRPC";
inline constexpr const char* kMutualTls = "gRPC, mutual TLS";
inline constexpr const char* kRest = "REST, binary";

/// What serving.md asks for, as far as the cells tell.
std::vector<Bar> bars(const Report& report);

base::Json to_json(const Report& report);

/// Tables for the documentation.
std::string to_markdown(const Report& report);

}  // namespace infoscissors::bench
