#pragma once

#include <optional>

#include <lockstep/report/console.hpp>
#include <lockstep/train/checkpoint.hpp>
#include <lockstep/train/run.hpp>

#include "job.hpp"

namespace lockstep {

/// The checkpoint that a run goes on from, as config.resume says: none, the newest whole one of the
/// run folder (a line on the console for every newer one that is not whole), or a file. If the run
/// goes back after it began at `begun_at`, the newest that it has written since comes first. Throws
/// Error (usage) naming every option that would change the bits, Error (data) for other training
/// data, and Error (store) for a file that is no checkpoint. For rank 0.
std::optional<Checkpoint> find_start(const RunConfig& config, const Job& job,
                                     std::optional<std::uint64_t> begun_at, Console& console);

/// The newest whole checkpoint of a run folder; a line on the console for every newer one that is
/// not whole.
std::optional<Checkpoint> newest_checkpoint(const std::filesystem::path& run, Console& console);

/// Takes all ranks to rank 0's start: the replica, and what the training had come to. Collective.
Progress share_start(const std::optional<Checkpoint>& start, Replica& replica, Communicator& world);

}  // namespace lockstep
