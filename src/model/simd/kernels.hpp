#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workspace.hpp"

namespace lockstep::simd {

/// The kernels of one instruction set. `n` is the number of samples in the block, 1 to
/// block_samples.
struct Kernels {
  const char* isa;
  std::size_t lanes;
  void (*pack)(const Layout&, const float* parameters, Weights&);
  /// pixels -> x, states and logits.
  void (*forward)(const Layout&, const Weights&, std::size_t n, Workspace&);
  /// logits -> dlogits (the probabilities), and what the samples' losses come to.
  Tally (*loss)(const Layout&, std::size_t n, const std::uint8_t* labels, Workspace&);
  /// dlogits (by now the derivatives) -> dz.
  void (*backward)(const Layout&, const Weights&, std::size_t n, Workspace&);
  /// Adds the block's gradient to `sum`; returns the bits of Tally::invalid.
  std::uint32_t (*add_gradient)(const Layout&, std::size_t n, Workspace&, float limit,
                                std::int64_t* sum);
  // The same with each sum in one chain, and the gradient in fp32: other bits, see FreeOrderEngine.
  void (*free_forward)(const Layout&, const Weights&, std::size_t n, Workspace&);
  void (*free_backward)(const Layout&, const Weights&, std::size_t n, Workspace&);
  std::uint32_t (*add_free_gradient)(const Layout&, std::size_t n, Workspace&, float limit,
                                     float* sum);
  /// Runs `rounds` of independent multiply-adds, nothing else; returns how many operations those
  /// are.
  std::size_t (*fma_chains)(std::size_t rounds);
};

/// Those that this machine can run, best first.
std::vector<const Kernels*> supported_kernels();

}  // namespace lockstep::simd
