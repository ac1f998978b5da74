#include <mpi.h>
// After mpi.h, which it needs.
#include <mpi-ext.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/clock.hpp>

#include "mpi_library.hpp"
#include "ulfm.hpp"

namespace lockstep {
namespace {

/// Within which the daemon tells of a death; on one host it takes 20 ms.
constexpr double notice_seconds = 0.5;

}  // namespace

bool mpi_survives_losses() noexcept {
  const char* asked = std::getenv("OMPI_MCA_mpi_ft_enable");  // set by mpirun --with-ft ulfm
  return asked != nullptr && (asked == std::string_view("1") || asked == std::string_view("true"));
}

bool is_broken(MPI_Comm comm) noexcept {
  int revoked = 0;
  if (MPIX_Comm_is_revoked(comm, &revoked) != MPI_SUCCESS || revoked != 0) return true;
  MPI_Group dead = MPI_GROUP_EMPTY;
  int count = 0;
  if (MPIX_Comm_get_failed(comm, &dead) != MPI_SUCCESS) return true;
  MPI_Group_size(dead, &count);
  if (dead != MPI_GROUP_EMPTY) MPI_Group_free(&dead);
  return count > 0;
}

bool is_loss(int code, MPI_Comm comm) noexcept {
  int kind = MPI_ERR_UNKNOWN;
  MPI_Error_class(code, &kind);
  if (kind == MPIX_ERR_PROC_FAILED || kind == MPIX_ERR_PROC_FAILED_PENDING ||
      kind == MPIX_ERR_REVOKED) {
    return true;
  }
  if (!mpi_survives_losses()) return false;
  const double end = seconds_now() + notice_seconds;
  while (!is_broken(comm) && seconds_now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return is_broken(comm);
}

void revoke(MPI_Comm comm) noexcept {
  MPIX_Comm_revoke(comm);
}

bool all_say(MPI_Comm comm, bool yes) noexcept {
  int flag = yes;
  MPIX_Comm_agree(comm, &flag);  // says MPIX_ERR_PROC_FAILED even where it worked; the flag counts
  return flag != 0;
}

MPI_Comm shrink(MPI_Comm comm) {
  constexpr int most_tries = 50;  // each fails only if another rank died in it
  int code = MPI_SUCCESS;
  for (int i = 0; i < most_tries; ++i) {
    MPI_Comm survivors = MPI_COMM_NULL;
    code = MPIX_Comm_shrink(comm, &survivors);
    if (code == MPI_SUCCESS && survivors != MPI_COMM_NULL) {
      check_mpi(MPI_Comm_set_errhandler(survivors, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
      return survivors;
    }
  }
  check_mpi(code == MPI_SUCCESS ? MPI_ERR_OTHER : code, "MPIX_Comm_shrink");
  return MPI_COMM_NULL;
}

}  // namespace lockstep
