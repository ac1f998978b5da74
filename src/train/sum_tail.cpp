#include "sum_tail.hpp"

#include <fmt/format.h>

#include <string>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/clones.hpp>
#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

constexpr double nanosecond = 1e-9;

LOCKSTEP_CLONES
std::uint64_t weighted_sum(const float* values, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += fingerprint_term(values[i], i);
  return sum;
}

/// "the gradient of kernel", "the loss and the gradients of kernel, bias", ...
std::string invalid_names(std::uint32_t invalid) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < tensor_count; ++i) {
    if (invalid >> i & 1) names.push_back(tensors({})[i].name);
  }
  std::string text = invalid & invalid_loss ? "the loss" : "";
  if (names.empty()) return text;
  if (!text.empty()) text += " and ";
  return text + (names.size() > 1 ? "the gradients of " : "the gradient of ") +
         fmt::format("{}", fmt::join(names, ", "));
}

Tally tally_of(std::span<const std::int64_t> tail) {
  Tally sum{tail[loss_slot], tail[correct_slot], 0};
  for (std::size_t i = 0; i <= tensor_count; ++i) {
    if (tail[invalid_slot + i] != 0) sum.invalid |= 1u << i;
  }
  return sum;
}

}  // namespace

ReportNumbers to_numbers(const RankReport& report) noexcept {
  return {report.stop, report.failure,
          static_cast<std::int64_t>(report.compute_seconds / nanosecond),
          static_cast<std::int64_t>(report.reduce_seconds / nanosecond)};
}

RankReport from_numbers(const ReportNumbers& numbers) noexcept {
  return {numbers.stop != 0, static_cast<int>(numbers.failure),
          static_cast<double>(numbers.compute) * nanosecond,
          static_cast<double>(numbers.reduce) * nanosecond};
}

void throw_fault(SumFault fault, std::span<const std::int64_t> tail, std::uint64_t step,
                 std::size_t samples) {
  switch (fault) {
    case SumFault::none:
      return;
    case SumFault::checksum:
      throw RankLost(
          fmt::format("the all-reduce of step {} gave a wrong sum (its checksum does not hold); "
                      "a rank or the network failed, start the run again",
                      step));
    case SumFault::samples:
      throw RankLost(
          fmt::format("step {} summed {} samples instead of {}; a rank is missing, start the run "
                      "again",
                      step, tail[samples_slot], samples));
    case SumFault::invalid:
      throw Error(
          ExitCode::non_finite,
          fmt::format("training became non-finite at step {}: {}; lower --learning-rate or set "
                      "--clip-norm 1",
                      step, invalid_names(tally_of(tail).invalid)));
    case SumFault::drift:
      throw RankLost(
          fmt::format("the ranks' weights have drifted apart before step {} (their fingerprints "
                      "differ); a machine computes wrongly, start the run again without it",
                      step));
  }
}

StepOutcome read_tail(std::span<const std::int64_t> tail) {
  StepOutcome outcome{
      tally_of(tail), tail[stop_slot] != 0, static_cast<int>(tail[failure_slot]), {}};
  for (std::size_t slot = reports_slot; slot + 2 < tail.size(); slot += 2) {
    outcome.reports.push_back(from_numbers({0, 0, tail[slot], tail[slot + 1]}));
  }
  return outcome;
}

std::uint64_t fingerprint(std::span<const float> parameters) noexcept {
  return weighted_sum(parameters.data(), parameters.size());
}

}  // namespace lockstep
