#include "mpi_library.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/error.hpp>

#include "end_process.hpp"
#include "ulfm.hpp"

#ifndef LOCKSTEP_MPIRUN
#define LOCKSTEP_MPIRUN "mpirun"
#endif

namespace lockstep {

namespace {

/// How long a rank that failed waits for the others to fail as well: failures that all ranks share
/// are milliseconds apart.
constexpr double failure_patience_seconds = 5.0;

/// Defaults that keep Open MPI quiet, quick and safe where the user has not set them.
void set_defaults() {
  constexpr const char* defaults[][2] = {
      // Reading another process's memory is forbidden in many containers, is reported there at
      // every
      // message, and is slower than copying through shared memory at the sizes used here.
      {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"},  // Open MPI 4
      {"OMPI_MCA_smsc", "^cma"},                             // Open MPI 5
      // It serves one-sided calls alone, which are not used here, and takes a second to find
      // networks.
      {"OMPI_MCA_btl", "^ofi"},
      // A waiting rank lets others have its core: ranks may outnumber the cores.
      {"OMPI_MCA_mpi_yield_when_idle", "1"},
      {"OMPI_MCA_btl_base_warn_component_unused", "0"},
      {"HWLOC_HIDE_ERRORS", "2"},
  };
  for (const auto& [name, value] : defaults) ::setenv(name, value, 0);
  // Else a rank that ends waits in MPI_Finalize for those that died (one run in five hung). Without
  // losses it must wait: others may still need its last messages.
  if (mpi_survives_losses()) ::setenv("OMPI_MCA_async_mpi_finalize", "1", 0);
}

/// How long a rank that ends goes on serving the others' last calls.
constexpr double farewell_seconds = 2.0;

bool mpi_is_active = false;

/// Whether all ranks come here, in time if that has an end.
bool meet_all(std::optional<double> patience) noexcept {
  if (is_broken(MPI_COMM_WORLD)) return false;  // the barrier would fail, and not in silence
  MPI_Request farewell = MPI_REQUEST_NULL;
  int all_here = 0;
  bool lost = MPI_Ibarrier(MPI_COMM_WORLD, &farewell) != MPI_SUCCESS;
  const double start = seconds_now();
  while (!lost && all_here == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    lost = MPI_Test(&farewell, &all_here, MPI_STATUS_IGNORE) != MPI_SUCCESS ||
           (patience && seconds_now() - start > *patience);
  }
  return all_here != 0;
}

/// Open MPI tells the other ranks of one that a signal ended, but not of one that exits. Where
/// launch/run knows the exit code already, it is a signal.
[[noreturn]] void die(int exit_code) noexcept {
  std::fflush(nullptr);
  if (std::getenv("LOCKSTEP_SUPERVISED") != nullptr) std::raise(SIGKILL);
  end_process(exit_code);
}

/// For what calls exit() in the middle of a run.
void die_at_exit() {
  if (mpi_is_active) std::raise(SIGKILL);
}

}  // namespace

bool mpi_is_built_in() noexcept {
  return true;
}

void start_mpi() {
  set_defaults();
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  mpi_is_active = mpi_survives_losses();
  if (mpi_is_active) std::atexit(die_at_exit);
}

std::string mpi_description() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string_view all(text, static_cast<std::size_t>(length));
  std::string phrase(all.substr(0, all.find_first_of(",\n")));
  if (const auto v = phrase.find(" v"); v != std::string::npos) phrase.erase(v + 1, 1);
  return phrase;
}

std::string mpi_launch_hint() {
  return "launch/run, or with " LOCKSTEP_MPIRUN;
}

void end_mpi(std::optional<int> failure) noexcept {
  // The ranks have settled, or fail together: who fails alone is lost to the others, that is all.
  const bool survives = mpi_survives_losses();
  if (survives && failure) die(*failure);
  // On MPI_COMM_WORLD, where all other calls are over. Where ranks may be lost the others are given
  // a while, as MPI_Finalize does not wait for them then.
  const auto patience = survives
                            ? std::optional(farewell_seconds)
                            : (failure ? std::optional(failure_patience_seconds) : std::nullopt);
  const bool all_here = meet_all(patience);
  if (!all_here && !survives) {
    MPI_Abort(MPI_COMM_WORLD, failure.value_or(static_cast<int>(ExitCode::lost_rank)));
  }
  mpi_is_active = false;
  MPI_Finalize();
}

std::string mpi_error_line(int code, const char* call) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  int rank = 0;
  MPI_Error_string(code, text, &length);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return fmt::format("{} failed on rank {}: {}", call, rank,
                     std::string_view(text, static_cast<std::size_t>(length)));
}

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  int kind = MPI_ERR_UNKNOWN;
  MPI_Error_class(code, &kind);
  const bool by_itself = kind == MPI_ERR_OTHER || kind == MPI_ERR_INTERN || kind == MPI_ERR_UNKNOWN;
  const std::string line = mpi_error_line(code, call);
  if (by_itself) throw Error(ExitCode::lost_rank, line + "; start the run again");
  throw Error(ExitCode::internal, line + "; report it with the command");
}

}  // namespace lockstep
