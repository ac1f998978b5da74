#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <lockstep/core/buffer.hpp>
#include <lockstep/core/range.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/model/engine.hpp>

namespace lockstep {

/// What a rank says of itself with every step, beside its gradient.
struct RankReport {
  bool stop = false;           // it was asked to stop
  int failure = 0;             // exit code of a failure of its own (rank 0's report), else 0
  double compute_seconds = 0;  // of the step before
  double reduce_seconds = 0;   // of the step before, waiting included
};

/// The fixed-point gradient of a step and its tail, one block that is all-reduced as it is: the
/// sums of losses, hits and samples, the ranks' reports, a fingerprint of each rank's weights and a
/// checksum. The sum is linear, so the reduced checksum must equal that of the reduced block. The
/// workers of a rank add to a gradient of their own each, until these are merged.
class GradientSum {
 public:
  GradientSum(std::size_t parameters, std::size_t world_size, std::size_t workers);

  /// A worker's gradient, and nothing of the others'.
  void clear(std::size_t worker) noexcept;
  std::span<std::int64_t> gradient(std::size_t worker) noexcept;

  /// Adds the workers' gradients up, each worker of the team a part of the parameters. From here on
  /// there is one gradient.
  void merge(Team& team);
  std::span<const std::int64_t> gradient() const noexcept {
    return block_.span().first(parameters_);
  }

  /// Fills the tail from this rank's part of the step, checksum last. After merge().
  void seal(const Tally& tally, std::size_t samples, std::size_t rank, const RankReport& report,
            std::uint64_t fingerprint) noexcept;
  std::span<std::int64_t> block() noexcept { return block_.span(); }

  // After the all-reduce:

  /// Throws RankLost if the block was not summed rightly, misses samples, or if a rank's weights
  /// differ from this one's; Error (non_finite) if a rank met an invalid value.
  void verify(std::uint64_t step, std::size_t samples, std::uint64_t fingerprint) const;

  Tally tally() const noexcept;
  bool stop() const noexcept;
  int failure() const noexcept;
  /// Of every rank, for the step before.
  std::vector<RankReport> reports() const;

 private:
  std::int64_t& slot(std::size_t i) noexcept { return block_[parameters_ + i]; }
  std::int64_t slot(std::size_t i) const noexcept { return block_[parameters_ + i]; }
  std::size_t checksum_slot() const noexcept { return block_.size() - 1; }
  std::int64_t merge_part(Range own) noexcept;

  std::size_t parameters_;
  std::size_t world_size_;
  Buffer<std::int64_t> block_;
  std::vector<Buffer<std::int64_t>>
      others_;                        // of the workers after the first, which adds to block_
  std::vector<std::int64_t> merged_;  // the checksum of each worker's part
};

/// A hash of the weights that any single changed bit changes: the sum of each value's bits times an
/// odd number of its place, modulo 2^64.
std::uint64_t fingerprint(std::span<const float> parameters) noexcept;

}  // namespace lockstep
