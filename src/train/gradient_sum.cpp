#include "gradient_sum.hpp"

#include <algorithm>

#include <lockstep/core/clones.hpp>

namespace lockstep {
namespace {

constexpr std::size_t in_l1 = 1024;  // values that stay there while they are summed

LOCKSTEP_CLONES
void add(const std::int64_t* __restrict from, std::size_t n, std::int64_t* __restrict to) {
  for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
}

}  // namespace

GradientSum::GradientSum(std::size_t parameters, std::size_t world_size, std::size_t workers,
                         bool ordered)
    : parameters_(parameters),
      world_size_(world_size),
      tail_size_(lockstep::tail_size(world_size)),
      ordered_(ordered),
      block_(parameters + tail_size_ + (ordered ? 1 : 0)),
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
Checksum GradientSum::merge_part(Range own) noexcept {
  Checksum total;
  for (std::size_t i = own.begin; i < own.end; i += in_l1) {
    const std::size_t n = std::min(in_l1, own.end - i);
    for (const auto& other : others_) add(&other[i], n, &block_[i]);
    total = join(total, checksum({&block_[i], n}), n);
  }
  return total;
}

void GradientSum::seal(const Tally& tally, std::size_t samples, std::size_t rank,
                       const RankReport& report, std::uint64_t fingerprint) noexcept {
  const TailPart own{tally, samples, rank, to_numbers(report), fingerprint};
  const auto slots = this->tail().first(tail_size_ - 1);
  for (std::size_t slot = 0; slot < slots.size(); ++slot) slots[slot] = own[slot];
  Checksum total;
  for (std::size_t worker = 0; worker < merged_.size(); ++worker) {
    total = join(total, merged_[worker], part(parameters_, merged_.size(), worker).size());
  }
  total = join(total, checksum(slots), slots.size());
  this->tail().back() = static_cast<std::int64_t>(total.sum);
  if (ordered_) block_[block_.size() - 1] = static_cast<std::int64_t>(total.order);
}

void GradientSum::verify(std::uint64_t step, std::size_t samples, std::uint64_t fingerprint) const {
  const Checksum found = checksum(block_.span().first(parameters_ + tail_size_ - 1));
  const bool in_order =
      !ordered_ || static_cast<std::uint64_t>(block_[block_.size() - 1]) == found.order;
  const SumCheck check{tail().back(), static_cast<std::int64_t>(found.sum), samples, world_size_,
                       fingerprint};
  const SumFault fault = in_order ? find_fault(tail().data(), check) : SumFault::checksum;
  throw_fault(fault, tail(), step, samples);
}

}  // namespace lockstep
