#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <lockstep/core/buffer.hpp>
#include <lockstep/core/checksum.hpp>
#include <lockstep/core/range.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/model/engine.hpp>

#include "sum_tail.hpp"

namespace lockstep {

/// The fixed-point gradient of a step and its tail (sum_tail.hpp), one block in the host's memory
/// that is all-reduced as it is. The checksum is linear, so the reduced one must be that of the
/// reduced block. The workers of a rank add to a gradient of their own each, until these are
/// merged.
class GradientSum {
 public:
  /// `ordered`: behind the tail is the checksum's order, which finds values that changed places.
  /// The same on all ranks; a GPU's block has none.
  GradientSum(std::size_t parameters, std::size_t world_size, std::size_t workers, bool ordered);

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

  /// Throws what throw_fault throws.
  void verify(std::uint64_t step, std::size_t samples, std::uint64_t fingerprint) const;

  StepOutcome outcome() const { return read_tail(tail()); }

 private:
  std::span<std::int64_t> tail() noexcept { return block_.span().subspan(parameters_, tail_size_); }
  std::span<const std::int64_t> tail() const noexcept {
    return block_.span().subspan(parameters_, tail_size_);
  }
  Checksum merge_part(Range own) noexcept;

  std::size_t parameters_;
  std::size_t world_size_;
  std::size_t tail_size_;
  bool ordered_;
  Buffer<std::int64_t> block_;
  std::vector<Buffer<std::int64_t>>
      others_;                    // of the workers after the first, which adds to block_
  std::vector<Checksum> merged_;  // of each worker's part
};

}  // namespace lockstep
