#pragma once

#include <cstddef>
#include <string>

namespace lockstep {

/// Tells launch/run, which set LOCKSTEP_SUPERVISED (to restarts_left()), how far the run has come:
/// a line "@lockstep <what>" on standard error, which launch/run keeps to itself. What it says:
///   together   MPI_Init is behind all ranks
///   training   the run folder is this run's: a restart may go on from its checkpoints
///   ended N    the exit code; mpirun's own says nothing where ranks were killed
///   hung       a rank that can't be reached from here keeps the run from ending
/// Does nothing without launch/run. A note that can't be written is lost.
void tell_supervisor(const std::string& what) noexcept;

/// How often launch/run would still start this run again; none without it.
std::size_t restarts_left() noexcept;

/// Whether a lost run's job is queued again: cluster/train.sbatch does that, and sets
/// LOCKSTEP_QUEUED_AGAIN.
bool is_queued_again() noexcept;

}  // namespace lockstep
