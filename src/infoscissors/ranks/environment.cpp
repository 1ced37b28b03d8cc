#include "infoscissors/ranks/environment.h"

#include "infoscissors/base/error.h"

#include <charconv>
#include <cstdlib>

namespace infoscissors::ranks {
namespace {

using base::UsageError;

constexpr int kLargestSize = 1 << 16;
constexpr int kPort = 29500;                       // torchrun's
constexpr int kFirstPort = 20000, kPorts = 10000;  // for steps of Slurm: two jobs may share a machine

int number(const Environment& environment, const char* name, int low, int high) {
  const auto text = environment(name);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    throw UsageError("{} must be a whole number from {} to {}, got '{}'", name, low, high, text);
  }
  return value;
}

int number_or(const Environment& environment, const char* name, int low, int high, int otherwise) {
  return environment(name).empty() ? otherwise : number(environment, name, low, high);
}

/// How one launcher numbers the processes it starts.
struct Launcher {
  const char* name;
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;  // nullptr: not told
};

// Slurm before PMI: srun sets both. The size is the step's: a batch script sees the job's SLURM_NTASKS and is no rank.
constexpr Launcher kLaunchers[] = {
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"mpirun (Open MPI)", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", nullptr},
    {"mpirun (MPICH)", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
};

bool on_one_machine(const Environment& environment, const Launcher& launcher, int size) {
  if (launcher.local_size) return number_or(environment, launcher.local_size, 1, kLargestSize, 0) == size;
  return environment("SLURM_STEP_NUM_NODES") == "1";
}

std::string address_of(const Environment& environment, const Launcher& launcher, int size) {
  if (const auto given = environment("MASTER_ADDR"); !given.empty()) return given;
  if (on_one_machine(environment, launcher, size)) return "127.0.0.1";
  if (const auto nodes = environment("SLURM_STEP_NODELIST"); !nodes.empty()) return first_host(nodes);
  throw UsageError("{} ranks were started by {} and not all on this machine: set MASTER_ADDR to the host of rank 0",
                   size, launcher.name);
}

int port_of(const Environment& environment) {
  int otherwise = kPort;
  if (!environment("SLURM_STEP_NUM_TASKS").empty() && !environment("SLURM_JOB_ID").empty()) {
    const auto job = number(environment, "SLURM_JOB_ID", 0, 2147483647);
    const auto step = number_or(environment, "SLURM_STEP_ID", 0, 2147483647, 0);
    otherwise = kFirstPort + (job % kPorts * 7 + step % kPorts) % kPorts;
  }
  return number_or(environment, "MASTER_PORT", 1, 65535, otherwise);
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::optional<Place> find_place(const Environment& environment) {
  for (const auto& launcher : kLaunchers) {
    const bool rank = !environment(launcher.rank).empty(), size = !environment(launcher.size).empty();
    if (!rank && !size) continue;
    if (launcher.rank == std::string("SLURM_PROCID") && !size) continue;  // a batch script
    if (!rank || !size) {
      throw UsageError("{} is set, but {} is not; {} sets both", rank ? launcher.rank : launcher.size,
                       rank ? launcher.size : launcher.rank, launcher.name);
    }
    Place place;
    place.launcher = launcher.name;
    place.size = number(environment, launcher.size, 1, kLargestSize);
    place.rank = number(environment, launcher.rank, 0, place.size - 1);
    place.local_rank = number_or(environment, launcher.local_rank, 0, kLargestSize, 0);
    if (place.size > 1) place.address = address_of(environment, launcher, place.size);
    place.port = port_of(environment);
    place.external_store = environment("TORCHELASTIC_USE_AGENT_STORE") == "True";
    return place;
  }
  return std::nullopt;
}

std::string first_host(const std::string& list) {
  const auto bracket = list.find('[');
  const auto comma = list.find(',');
  if (comma < bracket || bracket == std::string::npos) return list.substr(0, comma);
  const auto end = list.find_first_of("-,]", bracket);
  if (end == std::string::npos) throw UsageError("'{}' is no list of hosts", list);
  return list.substr(0, bracket) + list.substr(bracket + 1, end - bracket - 1);
}

}  // namespace infoscissors::ranks
