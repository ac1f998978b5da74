#include "gradient_sum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/clones.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/core/wrapping_sum.hpp>

namespace lockstep {
namespace {

enum Slot : std::size_t {
  loss_slot,
  correct_slot,
  samples_slot,
  stop_slot,
  failure_slot,
  fingerprint_slot,
  invalid_slot,  // a count of ranks for each tensor, then for the loss
  reports_slot = invalid_slot + tensor_count + 1,  // two for each rank
};

constexpr double nanosecond = 1e-9;
constexpr std::size_t in_l1 = 1024;  // values that stay there while they are summed

LOCKSTEP_CLONES
std::uint64_t weighted_sum(const float* values, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += std::uint64_t{std::bit_cast<std::uint32_t>(values[i])} *
           static_cast<std::uint32_t>(2 * i + 1);
  }
  return sum;
}

LOCKSTEP_CLONES
void add(const std::int64_t* __restrict from, std::size_t n, std::int64_t* __restrict to) {
  for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
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

}  // namespace

std::uint64_t fingerprint(std::span<const float> parameters) noexcept {
  return weighted_sum(parameters.data(), parameters.size());
}

GradientSum::GradientSum(std::size_t parameters, std::size_t world_size, std::size_t workers)
    : parameters_(parameters),
      world_size_(world_size),
      block_(parameters + reports_slot + 2 * world_size + 1),
      merged_(workers) {
  for (std::size_t i = 1; i < workers; ++i) others_.emplace_back(parameters);
}

std::span<std::int64_t> GradientSum::gradient(std::size_t worker) noexcept {
  return worker == 0 ? block_.span().first(parameters_) : others_[worker - 1].span();
}

void GradientSum::clear(std::size_t worker) noexcept {
  std::ranges::fill(gradient(worker), 0);
}

void GradientSum::merge(Team& team) {
  team.run([&](std::size_t worker) {
    merged_[worker] = merge_part(part(parameters_, merged_.size(), worker));
  });
}

/// Returns the part's checksum.
std::int64_t GradientSum::merge_part(Range own) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = own.begin; i < own.end; i += in_l1) {
    const std::size_t n = std::min(in_l1, own.end - i);
    for (const auto& other : others_) add(&other[i], n, &block_[i]);
    sum += static_cast<std::uint64_t>(wrapping_sum({&block_[i], n}));
  }
  return static_cast<std::int64_t>(sum);
}

void GradientSum::seal(const Tally& tally, std::size_t samples, std::size_t rank,
                       const RankReport& report, std::uint64_t own_fingerprint) noexcept {
  const auto tail = block_.span().subspan(parameters_);
  std::ranges::fill(tail, 0);
  slot(loss_slot) = tally.loss;
  slot(correct_slot) = tally.correct;
  slot(samples_slot) = static_cast<std::int64_t>(samples);
  slot(stop_slot) = report.stop;
  slot(failure_slot) = report.failure;
  slot(fingerprint_slot) = static_cast<std::int64_t>(own_fingerprint);
  for (std::size_t i = 0; i <= tensor_count; ++i) {
    slot(invalid_slot + i) = (tally.invalid >> i) & 1;
  }
  slot(reports_slot + 2 * rank) = static_cast<std::int64_t>(report.compute_seconds / nanosecond);
  slot(reports_slot + 2 * rank + 1) = static_cast<std::int64_t>(report.reduce_seconds / nanosecond);
  tail.back() = wrapping_sum(merged_);  // the gradient's, to which the tail's is added
  tail.back() = wrapping_sum(tail);
}

void GradientSum::verify(std::uint64_t step, std::size_t samples,
                         std::uint64_t own_fingerprint) const {
  if (block_[checksum_slot()] != wrapping_sum(block_.span().first(checksum_slot()))) {
    throw RankLost(
        fmt::format("the all-reduce of step {} gave a wrong sum (its checksum does not hold); "
                    "a rank or the network failed, start the run again",
                    step));
  }
  if (slot(samples_slot) != static_cast<std::int64_t>(samples)) {
    throw RankLost(
        fmt::format("step {} summed {} samples instead of {}; a rank is missing, start the run "
                    "again",
                    step, slot(samples_slot), samples));
  }
  if (const std::uint32_t invalid = tally().invalid; invalid != 0) {
    throw Error(
        ExitCode::non_finite,
        fmt::format("training became non-finite at step {}: {}; lower --learning-rate or set "
                    "--clip-norm 1",
                    step, invalid_names(invalid)));
  }
  if (static_cast<std::uint64_t>(slot(fingerprint_slot)) != world_size_ * own_fingerprint) {
    throw RankLost(
        fmt::format("the ranks' weights have drifted apart before step {} (their fingerprints "
                    "differ); a machine computes wrongly, start the run again without it",
                    step));
  }
}

Tally GradientSum::tally() const noexcept {
  Tally sum{slot(loss_slot), slot(correct_slot), 0};
  for (std::size_t i = 0; i <= tensor_count; ++i) {
    if (slot(invalid_slot + i) != 0) sum.invalid |= 1u << i;
  }
  return sum;
}

bool GradientSum::stop() const noexcept {
  return slot(stop_slot) != 0;
}

int GradientSum::failure() const noexcept {
  return static_cast<int>(slot(failure_slot));
}

std::vector<RankReport> GradientSum::reports() const {
  std::vector<RankReport> result(world_size_);
  for (std::size_t rank = 0; rank < world_size_; ++rank) {
    result[rank].compute_seconds = static_cast<double>(slot(reports_slot + 2 * rank)) * nanosecond;
    result[rank].reduce_seconds =
        static_cast<double>(slot(reports_slot + 2 * rank + 1)) * nanosecond;
  }
  return result;
}

}  // namespace lockstep
