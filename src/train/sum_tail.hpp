#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <lockstep/core/device.hpp>
#include <lockstep/model/engine.hpp>

namespace lockstep {

// The block that is all-reduced is a step's fixed-point gradient and, behind it, a tail: the sums
// of losses, hits and samples, the ranks' reports, a fingerprint of each rank's weights and a
// checksum. Host and GPU write and check it by the same source, so that ranks on both can sum.

/// What a rank says of itself with every step, beside its gradient.
struct RankReport {
  bool stop = false;           // it was asked to stop
  int failure = 0;             // exit code of a failure of its own (rank 0's report), else 0
  double compute_seconds = 0;  // of the step before
  double reduce_seconds = 0;   // of the step before, waiting included
};

/// A report as it is summed: times in nanoseconds.
struct ReportNumbers {
  std::int64_t stop = 0;
  std::int64_t failure = 0;
  std::int64_t compute = 0;
  std::int64_t reduce = 0;
};
ReportNumbers to_numbers(const RankReport& report) noexcept;
RankReport from_numbers(const ReportNumbers& numbers) noexcept;

/// What a step came to over all ranks.
struct StepOutcome {
  Tally tally;
  bool stop = false;                // a rank asked to stop after this step
  int failure = 0;                  // rank 0's report failed with this exit code
  std::vector<RankReport> reports;  // of every rank, for the step before
  double seconds = 0;               // its share, where several steps were taken at once; else 0
};

/// The tail's places.
enum TailSlot : std::size_t {
  loss_slot,
  correct_slot,
  samples_slot,
  stop_slot,
  failure_slot,
  fingerprint_slot,
  invalid_slot,  // a count of ranks for each tensor, then for the loss
  reports_slot = invalid_slot + tensor_count + 1,  // two for each rank; the checksum behind them
};

constexpr std::size_t tail_size(std::size_t world_size) noexcept {
  return reports_slot + 2 * world_size + 1;
}

/// A rank's part in the tail.
struct TailPart {
  Tally tally;
  std::size_t samples;
  std::size_t rank;
  ReportNumbers report;
  std::uint64_t fingerprint;

  /// What stands in a place, but for the checksum's.
  LOCKSTEP_INLINE std::int64_t operator[](std::size_t slot) const noexcept {
    if (slot == loss_slot) return tally.loss;
    if (slot == correct_slot) return tally.correct;
    if (slot == samples_slot) return static_cast<std::int64_t>(samples);
    if (slot == stop_slot) return report.stop;
    if (slot == failure_slot) return report.failure;
    if (slot == fingerprint_slot) return static_cast<std::int64_t>(fingerprint);
    if (slot < reports_slot) return (tally.invalid >> (slot - invalid_slot)) & 1;
    if (slot == reports_slot + 2 * rank) return report.compute;
    if (slot == reports_slot + 2 * rank + 1) return report.reduce;
    return 0;
  }
};

/// What may be wrong with a reduced block; of several the first.
enum class SumFault : std::uint32_t { none, checksum, samples, invalid, drift };

/// What a reduced block's checks are made with.
struct SumCheck {
  std::int64_t sealed;    // the tail's checksum
  std::int64_t checksum;  // the wrapping sum of all values before it
  std::size_t samples;    // the batch's
  std::size_t world_size;
  std::uint64_t fingerprint;  // of this rank's weights
};

/// `tail`: its places up to reports_slot.
LOCKSTEP_INLINE SumFault find_fault(const std::int64_t* tail, const SumCheck& check) noexcept {
  if (check.sealed != check.checksum) return SumFault::checksum;
  if (tail[samples_slot] != static_cast<std::int64_t>(check.samples)) return SumFault::samples;
  for (std::size_t slot = invalid_slot; slot < reports_slot; ++slot) {
    if (tail[slot] != 0) return SumFault::invalid;
  }
  const auto expected = static_cast<std::int64_t>(check.world_size * check.fingerprint);
  return tail[fingerprint_slot] != expected ? SumFault::drift : SumFault::none;
}

/// Throws RankLost if the block was not summed rightly, misses samples, or if a rank's weights
/// differ from this one's; Error (non_finite) if a rank met an invalid value.
void throw_fault(SumFault fault, std::span<const std::int64_t> tail, std::uint64_t step,
                 std::size_t samples);

/// What a reduced tail says.
StepOutcome read_tail(std::span<const std::int64_t> tail);

/// A hash of the weights that any single changed bit changes: the sum of each value's bits times an
/// odd number of its place, modulo 2^64.
std::uint64_t fingerprint(std::span<const float> parameters) noexcept;
LOCKSTEP_INLINE std::uint64_t fingerprint_term(float value, std::size_t place) noexcept {
  return std::uint64_t{std::bit_cast<std::uint32_t>(value)} *
         static_cast<std::uint32_t>(2 * place + 1);
}

}  // namespace lockstep
