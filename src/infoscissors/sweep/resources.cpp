#include "infoscissors/sweep/resources.h"

#include "infoscissors/base/json.h"
#include "infoscissors/base/machine.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;

double number_in(const char* file) {
  std::ifstream in(file);
  double value = std::numeric_limits<double>::infinity();
  if (!(in >> value)) return std::numeric_limits<double>::infinity();  // "max", or no such file
  return value;
}

double meminfo_available() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string key;
    double kilobytes = 0;
    if (words >> key >> kilobytes && key == "MemAvailable:") return kilobytes * 1024;
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace

double available_memory() {
  const double limit = number_in("/sys/fs/cgroup/memory.max");
  const double used = number_in("/sys/fs/cgroup/memory.current");
  const double group = std::isinf(limit) || std::isinf(used) ? limit : limit - used;
  return std::max(0.0, std::min(meminfo_available(), group));
}

double free_disk(const fs::path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
}

bool disk_is_full(const fs::path& path, const std::string& error) {
  for (const int code : {ENOSPC, EDQUOT}) {
    if (error.find(std::strerror(code)) != std::string::npos) return true;
  }
  return free_disk(path) < 4096;
}

int usable_cores() {
  const char* given = std::getenv("SLURM_CPUS_PER_TASK");
  const int slurm = given == nullptr ? 0 : std::atoi(given);
  return slurm > 0 ? std::min(slurm, base::available_cores()) : base::available_cores();
}

void save_usage(const fs::path& run) {
  struct rusage usage {};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
  base::write_json(run / kUsageFile, {{"memory", static_cast<double>(usage.ru_maxrss) * 1024}});
}

std::optional<Usage> load_usage(const fs::path& run) {
  std::error_code ignored;
  if (!fs::exists(run / kUsageFile, ignored)) return {};
  try {
    Usage usage;
    usage.memory = base::read_json(run / kUsageFile).value("memory", 0.0);
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      if (entry.is_regular_file()) usage.disk += static_cast<double>(entry.file_size());
    }
    return usage;
  } catch (const std::exception&) {
    return {};  // somebody is just writing there
  }
}

}  // namespace infoscissors::sweep
