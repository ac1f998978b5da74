#include "launcher.hpp"

#include <charconv>
#include <cstring>

namespace lockstep {

namespace {

std::size_t number_or_zero(const char* text) {
  std::size_t value = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), value);
  return value;
}

}  // namespace

std::optional<Launch> detect_launch(const Environment& environment) {
  const auto launch = [&](const char* name, const char* size, const char* rank) {
    return Launch{name, number_or_zero(environment(size)), number_or_zero(environment(rank))};
  };
  // Open MPI's mpirun first: under Slurm its ranks see the variables of the step of its daemons
  // too.
  if (environment("OMPI_COMM_WORLD_SIZE") != nullptr) {
    return launch("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK");
  }
  if (environment("SLURM_STEP_NUM_TASKS") != nullptr && environment("PMI_SIZE") == nullptr) {
    auto step = launch("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID");
    if (step.size > 1) return step;
    return std::nullopt;  // the step of an interactive shell, or one task: even with PMIX_RANK set
  }
  if (environment("PMI_SIZE") != nullptr) return launch("mpirun", "PMI_SIZE", "PMI_RANK");
  if (environment("PMIX_RANK") != nullptr) return launch("an MPI launcher", "", "PMIX_RANK");
  return std::nullopt;
}

}  // namespace lockstep
