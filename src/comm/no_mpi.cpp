#include "mpi_library.hpp"

// The session asks mpi_is_built_in() first, so that nothing else is ever called.

namespace lockstep {

bool mpi_is_built_in() noexcept {
  return false;
}
void start_mpi() {}
std::unique_ptr<Communicator> make_mpi_communicator() {
  return nullptr;
}
std::string mpi_description() {
  return "no MPI";
}
std::string mpi_launch_hint() {
  return "launch/run";
}
void end_mpi(std::optional<int>) noexcept {}

}  // namespace lockstep
