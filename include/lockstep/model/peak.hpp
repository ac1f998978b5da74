#pragma once

#include <cstddef>
#include <string>

#include <lockstep/model/shape.hpp>

namespace lockstep {

/// How many fp32 operations a second, in GFLOP/s, the calling thread reaches at best: the rate of
/// twelve independent chains of fused multiply-adds, two operations each, over about a millisecond.
/// `isa` as in EngineConfig; 0 where no such instruction set is there.
double measure_fma_peak(const std::string& isa);

/// The operations of one training step over `samples` pictures: two for each multiply-add of the
/// products (forward, backward, weight gradient). What the first row's zero state saves is not
/// counted.
double step_operations(const ModelShape& shape, std::size_t samples) noexcept;

}  // namespace lockstep
