#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <lockstep/model/engine.hpp>

namespace lockstep {

/// What `simd` would be without the promise of equal bits: every sum in the order that is fastest
/// here (one chain), the gradient added up in fp32, unchecked. For the bench, which tells from it
/// what exactness costs; no training uses it. Threads as for Engine.
class FreeOrderEngine {
 public:
  virtual ~FreeOrderEngine() = default;

  virtual void set_parameters(std::span<const float> parameters) = 0;

  /// Adds to `sum` [parameter_count] the gradient of the batch's summed loss.
  virtual Tally add_gradient(const Batch& batch, std::span<float> sum, std::size_t worker) = 0;
};

/// Throws Error (usage) where the machine has no instruction set of `simd`.
std::unique_ptr<FreeOrderEngine> make_free_order_engine(const EngineConfig& config,
                                                        const ModelShape& shape);

}  // namespace lockstep
