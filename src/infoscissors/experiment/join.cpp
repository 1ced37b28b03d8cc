#include "infoscissors/experiment/join.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/base/progress.h"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>

namespace infoscissors::experiment {
namespace {

using base::UsageError;

/// Ranks with the same key share their cores: one machine, one set of processors.
std::uint64_t cores_key() {
  utsname names{};
  ::uname(&names);
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return std::hash<std::string>()(names.nodename + std::string(reinterpret_cast<const char*>(&set), sizeof set));
}

/// Variables that nobody asked to be obeyed: that they look wrong is no failure.
void warn_if_meant_as_rank() {
  try {
    const auto place = ranks::find_place(ranks::process_environment);
    if (!place || place->size == 1) return;
    base::log::warning(
        "{} started this as rank {} of {}, but it trains for itself: --ranks env trains one network on all of them, "
        "--ranks none says that each is meant to",
        place->launcher, place->rank, place->size);
  } catch (const UsageError&) {
  }
}

/// One GPU for each rank of a machine.
void choose_device(RuntimeOptions& runtime, int local_rank) {
  const bool open = runtime.device == "auto" || runtime.device == "cuda";
  if (!open || !torch::cuda::is_available()) return;
  runtime.device = fmt::format("cuda:{}", local_rank % static_cast<int>(torch::cuda::device_count()));
}

}  // namespace

std::unique_ptr<ranks::Group> join_ranks(RunConfig& config, const RankOptions& options) {
  if (options.mode != "env") {
    if (options.mode.empty()) warn_if_meant_as_rank();
    return nullptr;
  }
  const auto place = ranks::find_place(ranks::process_environment);
  if (!place) {
    throw UsageError(
        "--ranks env: no launcher set its variables; start the processes with torchrun, srun or mpirun, or set RANK, "
        "WORLD_SIZE, MASTER_ADDR and MASTER_PORT");
  }
  if (place->size == 1) return nullptr;
  if (place->rank > 0) {
    base::log::set_level(base::log::Level::error);
    base::Progress::set_quiet(true);
  }
  validate(config);
  choose_device(config.runtime, place->local_rank);
  const auto runtime = tensor::make_runtime(config.runtime.device, config.runtime.precision, 1);
  auto group = ranks::connect(*place, {.backend = options.backend,
                                       .device = runtime.device,
                                       .timeout = std::chrono::seconds(options.timeout),
                                       .identity = config_hash(config) + (runtime.bf16 ? " bf16" : " fp32")});
  const int sharing = ranks::ranks_with_key(*group, cores_key());
  if (config.runtime.threads == 0) config.runtime.threads = std::max(1, base::available_cores() / sharing);
  base::log::info("{} ranks ({}), {} thread(s) each", place->size, place->launcher, config.runtime.threads);
  return group;
}

}  // namespace infoscissors::experiment
