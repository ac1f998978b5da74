#include <lockstep/core/processors.hpp>

#include <sched.h>

#include <fstream>
#include <limits>
#include <string>

namespace lockstep {

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> result;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) result.push_back(i);
  }
  return result;
}

double processor_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");  // "max 100000" or "<quota> <period>"
  double quota = 0;
  double period = 0;
  if (file >> quota >> period && period > 0) return quota / period;
  return std::numeric_limits<double>::infinity();
}

}  // namespace lockstep
