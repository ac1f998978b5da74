#pragma once

#include <mpi.h>

namespace lockstep {

// Going on without ranks that died: MPI's user-level failure mitigation. ulfm.cpp where the MPI has
// it, no_ulfm.cpp elsewhere, whose first function says so and whose others are never called.

/// Whether the MPI can, and the launcher has asked for it (mpirun --with-ft ulfm).
bool mpi_survives_losses() noexcept;

/// Whether `comm` was revoked, or a rank of it is known to be dead.
bool is_broken(MPI_Comm comm) noexcept;

/// Whether a call on `comm` that failed with `code` failed because ranks are lost: MPI says so, or
/// says something else and knows of one. Waits a moment for that, as the notice of a death may come
/// after the failure.
bool is_loss(int code, MPI_Comm comm) noexcept;

/// Pending and later calls on `comm` fail on all ranks, but for the next two.
void revoke(MPI_Comm comm) noexcept;

/// Whether all ranks that are alive say yes: the same answer on each, whoever dies meanwhile.
bool all_say(MPI_Comm comm, bool yes) noexcept;

/// A new communicator of the ranks of `comm` that are left. Throws Error (lost_rank).
MPI_Comm shrink(MPI_Comm comm);

}  // namespace lockstep
