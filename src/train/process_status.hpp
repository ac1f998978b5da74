#pragma once

#include <cstdint>

namespace lockstep {

/// What the kernel says of a process of this host.
struct ProcessStatus {
  bool alive = false;      // and not a dead one that nobody has buried yet
  bool stopped = false;    // by a signal, or a debugger
  std::uint64_t born = 0;  // in ticks since the host began: tells it from a later one of its number
};

ProcessStatus process_status(std::int64_t process);

}  // namespace lockstep
