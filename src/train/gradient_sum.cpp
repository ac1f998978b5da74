#include "gradient_sum.hpp"

#include <algorithm>

#include <lockstep/core/clones.hpp>
#include <lockstep/core/wrapping_sum.hpp>

namespace lockstep {
namespace {

constexpr std::size_t in_l1 = 1024;  // values that stay there while they are summed

LOCKSTEP_CLONES
void add(const std::int64_t* __restrict from, std::size_t n, std::int64_t* __restrict to) {
  for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
}

}  // namespace

GradientSum::GradientSum(std::size_t parameters, std::size_t world_size, std::size_t workers)
    : parameters_(parameters),
      world_size_(world_size),
      block_(parameters + tail_size(world_size)),
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
                       const RankReport& report, std::uint64_t fingerprint) noexcept {
  const TailPart own{tally, samples, rank, to_numbers(report), fingerprint};
  const auto tail = block_.span().subspan(parameters_);
  for (std::size_t slot = 0; slot + 1 < tail.size(); ++slot) tail[slot] = own[slot];
  tail.back() = wrapping_sum(merged_);  // the gradient's, to which the tail's is added
  tail.back() = wrapping_sum(tail);
}

void GradientSum::verify(std::uint64_t step, std::size_t samples, std::uint64_t fingerprint) const {
  const std::int64_t checksum = wrapping_sum(block_.span().first(block_.size() - 1));
  const SumCheck check{tail().back(), checksum, samples, world_size_, fingerprint};
  throw_fault(find_fault(tail().data(), check), tail(), step, samples);
}

}  // namespace lockstep
