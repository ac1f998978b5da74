#include <lockstep/model/peak.hpp>

#include <lockstep/core/clock.hpp>

#include "simd/kernels.hpp"

namespace lockstep {

double measure_fma_peak(const std::string& isa) {
  constexpr std::size_t rounds = 20000;
  for (const simd::Kernels* kernels : simd::supported_kernels()) {
    if (isa != "auto" && isa != kernels->isa) continue;
    const double begin = seconds_now();
    const std::size_t operations = kernels->fma_chains(rounds);
    return static_cast<double>(operations) / (seconds_now() - begin) * 1e-9;
  }
  return 0;
}

double step_operations(const ModelShape& shape, std::size_t samples) noexcept {
  const auto [rows, columns, hidden, classes] = shape;
  const std::size_t input = 2 * rows * columns * hidden;  // forward and weight gradient
  const std::size_t recurrent = 3 * (rows - 1) * hidden * hidden;
  const std::size_t head = 3 * hidden * classes;
  return 2.0 * static_cast<double>(samples) * static_cast<double>(input + recurrent + head);
}

}  // namespace lockstep
