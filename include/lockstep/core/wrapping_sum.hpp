#pragma once

#include <cstdint>
#include <span>

namespace lockstep {

/// The sum modulo 2^64: of sums over ranks it is the sum over ranks, so it checks an all-reduce.
std::int64_t wrapping_sum(std::span<const std::int64_t> values) noexcept;

}  // namespace lockstep
