#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace infoscissors::tests {

/// How a rank ended: its exit status (128 + the signal that killed it) and what it printed.
struct Ended {
  int status = 0;
  std::string output;
};

using Variables = std::map<std::string, std::string>;

/// What torchrun would set, on a port that is free.
Variables place_of(int rank, int size, int port);
int free_port();

/// Starts this test binary `size` times, each with the variables of its rank, to do `job` (worker_test.cpp), and waits
/// for all of them; whoever runs longer than ten minutes is killed.
std::vector<Ended> launch(const std::string& job, int size, const std::function<Variables(int rank)>& variables);

/// All with one free port and `more`.
std::vector<Ended> launch(const std::string& job, int size, const Variables& more = {});

}  // namespace infoscissors::tests
