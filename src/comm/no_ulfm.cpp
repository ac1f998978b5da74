#include "ulfm.hpp"

namespace lockstep {

bool mpi_survives_losses() noexcept {
  return false;
}
bool is_broken(MPI_Comm) noexcept {
  return false;
}
bool is_loss(int, MPI_Comm) noexcept {
  return false;
}
void revoke(MPI_Comm) noexcept {}
bool all_say(MPI_Comm, bool yes) noexcept {
  return yes;
}
MPI_Comm shrink(MPI_Comm comm) {
  return comm;
}

}  // namespace lockstep
