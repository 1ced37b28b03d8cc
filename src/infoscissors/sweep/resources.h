#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

/// What the machine has and what runs use of it.
namespace infoscissors::sweep {

inline constexpr double kAssumedMemory = 1.0 * (1U << 30);  // bytes of a run whose like was not measured yet
inline constexpr double kAssumedDisk = 8.0 * (1U << 20);
inline constexpr const char* kUsageFile = "usage.json";

/// Bytes that may still be used, control group respected.
double available_memory();

/// Bytes on the file system of `path` that this user may still write.
double free_disk(const std::filesystem::path& path);

/// Whether a write failed (or the next one would) because nothing is left.
bool disk_is_full(const std::filesystem::path& path, const std::string& error);

/// Cores this process may use; under Slurm at most what the task was given.
int usable_cores();

/// Writes this process's largest memory into the run's directory.
void save_usage(const std::filesystem::path& run);

/// What was measured of one finished run.
struct Usage {
  double memory = 0;  // bytes
  double disk = 0;
};
std::optional<Usage> load_usage(const std::filesystem::path& run);

}  // namespace infoscissors::sweep
