#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/bench/layer.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::bench {

struct Plan {
  std::vector<std::size_t> devices{1, 8, 64};
  double seconds = 1;  // of one repetition of one cell
  std::size_t repetitions = 5;
  double warm_up = 0.2;  // seconds of load before each repetition that are not counted
  std::vector<double>
      open_shares;  // rates of the open loop, as shares of what the slowest server did in the closed one
  std::uint64_t seed = 0;
};

/// The repetitions of one figure: their median and their range.
struct Figure {
  double median = 0, low = 0, high = 0;
};
Figure figure(std::vector<double> repetitions);

/// One layer under one load with one encoding.
struct Cell {
  std::string layer, encoding;
  std::size_t devices = 0;
  double rate = 0;  // of the open loop; 0: closed
  std::uint64_t requests = 0, failures = 0;
  std::string failure;
  Figure p50, p99;                // microseconds, of each repetition
  Figure per_second;              // requests
  Figure client_cpu, server_cpu;  // microseconds a request; the latter 0 where both are one process
  Layer::Bytes bytes;
};

base::Json to_json(const Cell& cell);

/// Measures every layer with every traffic under every load. Repetitions are interleaved and begin with another layer
/// each time, so that a machine that slows down meanwhile does so for all. Throws Error where layers disagree about the
/// first sample's features: then they do not run the same network.
std::vector<Cell> measure(const std::vector<std::unique_ptr<Layer>>& layers, const std::vector<Traffic>& traffic,
                          const Plan& plan);

}  // namespace infoscissors::bench
