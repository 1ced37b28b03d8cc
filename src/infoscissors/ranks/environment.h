#pragma once

#include <functional>
#include <optional>
#include <string>

namespace infoscissors::ranks {

/// This process' place among those that a launcher started, and where they meet.
struct Place {
  int rank = 0;
  int size = 1;
  int local_rank = 0;           // among the ranks on this machine
  std::string address;          // host of rank 0
  int port = 0;                 // there
  bool external_store = false;  // the launcher listens there already (torchrun)
  std::string launcher;         // "torchrun", "srun", "mpirun (Open MPI)", ...
};

/// A variable of the environment, empty where it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

/// What torchrun (RANK, WORLD_SIZE), srun (SLURM_PROCID, SLURM_STEP_NUM_TASKS) or mpirun (OMPI_COMM_WORLD_*, PMI_*)
/// tell the processes they start, in this order. Nothing where none of them did: in particular within a Slurm batch
/// script, which is no step of several tasks. MASTER_ADDR and MASTER_PORT say where rank 0 listens; left out, it is
/// this machine (where all ranks are on it) or a step's first node. Throws UsageError naming the variable that is wrong
/// or missing.
std::optional<Place> find_place(const Environment& environment);

/// The first host of a Slurm list: "gpu[07-09,12],login" -> "gpu07".
std::string first_host(const std::string& list);

}  // namespace infoscissors::ranks
