#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// The MPI library as the session sees it. no_mpi.cpp stands in where the build has none.
bool mpi_is_built_in() noexcept;

/// Initialises MPI, once in a process.
void start_mpi();

/// All ranks of MPI, on a duplicate of MPI_COMM_WORLD. Goes before end_mpi.
std::unique_ptr<Communicator> make_mpi_communicator();

/// "Open MPI 5.0.11". Needs no start_mpi.
std::string mpi_description();

/// How to start this program on several ranks, for error lines.
std::string mpi_launch_hint();

/// Waits for all ranks to get here, then finalizes MPI. On a `failure` (its exit code) the wait has
/// a limit, after which all ranks are ended with that code: the others do not share the failure and
/// would wait for this rank for ever. Where MPI survives losses the wait is 2 s at most, and a
/// failure ends the process here.
void end_mpi(std::optional<int> failure) noexcept;

/// "MPI_Bcast failed on rank 1: MPI_ERR_ROOT: invalid root".
std::string mpi_error_line(int code, const char* call);

/// Throws with the call, the rank and MPI's own text unless `code` is MPI_SUCCESS: Error
/// (lost_rank) where MPI or the network failed, Error (internal) where MPI refuses the call.
void check_mpi(int code, const char* call);

}  // namespace lockstep
