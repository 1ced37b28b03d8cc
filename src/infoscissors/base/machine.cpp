#include "infoscissors/base/machine.h"

#include "infoscissors/base/version.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace infoscissors::base {
namespace {

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(':');
    return colon == std::string::npos ? line : line.substr(std::min(line.size(), colon + 2));
  }
  return "unknown";
}

// A control group may allow less than the affinity mask: "max 100000" or "200000 100000" (quota, period).
int control_group_cores() {
  std::ifstream in("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max(1, static_cast<int>(std::stod(quota) / period));
}

}  // namespace

std::string version() {
  return INFOSCISSORS_VERSION;
}
std::string commit() {
  return INFOSCISSORS_COMMIT;
}

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return std::max(1, std::min(allowed, control_group_cores()));
}

Json describe_machine() {
  utsname names{};
  ::uname(&names);
  const auto pages = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  return {{"processor", processor_name()},
          {"cores", available_cores()},
          {"memory_gib", std::round(pages / (1 << 30) * 10) / 10},
          {"system", std::string(names.sysname) + " " + names.machine},
          {"compiler", "GCC " __VERSION__}};
}

}  // namespace infoscissors::base
