#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// Sums int64 blocks that lie in the memory of the rank's GPU. All ranks make the same calls in the
/// same order; one thread of a rank makes them, with the rank's GPU current. What is pending when
/// the object goes is aborted: so a rank lets it go only after all ranks have their last sum.
/// Graphs that hold one of its sums go before it, and before abort() and renew(), which wait for
/// that.
class DeviceReducer {
 public:
  virtual ~DeviceReducer() = default;

  /// Enqueues on `stream` (a cudaStream_t): the block becomes the ranks' sum, wrapping modulo 2^64.
  /// May be captured into a graph, in thread-local or relaxed mode, but for the first sum since the
  /// ranks were joined; who launches such a graph takes part in its sum. Throws RankLost.
  virtual void all_reduce(std::int64_t* block, std::size_t n, void* stream) = 0;

  /// Throws RankLost if a sum can't be had any more, because of an error or as a rank is gone; to
  /// be polled while waiting for the stream, which would else be for ever.
  virtual void check() = 0;

  /// Pending work ends, its blocks worthless; what is left to do is renew(). Local.
  virtual void abort() noexcept = 0;

  /// Goes on with the ranks that are left, after Communicator::recover. Collective; throws what the
  /// making throws.
  virtual void renew(Communicator& ranks) = 0;

  /// One phrase for the header, e.g. library and version.
  virtual std::string description() const = 0;
};

struct NcclConfig {
  std::uint64_t gpu = 0;  // this rank's: a number that no other GPU of the run has
  /// How long a rank waits in a common call for one that neither comes nor is known to be dead.
  double patience_seconds = 60;
};

bool nccl_is_built_in() noexcept;

/// "NCCL 2.28.9".
std::string nccl_description();

/// Whether NCCL would take several ranks on one GPU: from 2.30 on, where NCCL_MULTI_RANK_GPU_ENABLE
/// is 1. For tests, not for speed.
bool nccl_shares_gpus();

/// Sums by NCCL, on the GPU that is current. `ranks` finds the others and who is lost; it outlives
/// the reducer. Collective. Throws RankLost, Error (usage) where the ranks' NCCLs or GPUs don't go
/// together, and Error (lost_rank) where NCCL fails; each on all ranks, with the line on one.
std::unique_ptr<DeviceReducer> make_nccl_reducer(Communicator& ranks, const NcclConfig& config);

}  // namespace lockstep
