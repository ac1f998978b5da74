#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace lockstep {

/// Who started this process as one of several, read from the environment.
struct Launch {
  std::string launcher;  // "mpirun", "srun" or "an MPI launcher"
  std::size_t size = 0;  // ranks that it started; 0: it does not say
  std::size_t rank = 0;  // this one's number
};

/// A variable of the environment, null where it is not set.
using Environment = std::function<const char*(const char* name)>;

/// Empty where nothing but a shell started the process. A shell inside a Slurm allocation is such a
/// one: Slurm's variables count only in a step of several tasks, that is, under srun.
std::optional<Launch> detect_launch(const Environment& environment);

}  // namespace lockstep
