#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <lockstep/core/fixed_point.hpp>
#include <lockstep/data/batch.hpp>
#include <lockstep/model/shape.hpp>

namespace lockstep {

/// The number of the arithmetic of docs/arithmetic.md that `reference` and `simd` follow bit for
/// bit. It is stored with every model; any change of a sum's order or of a function's bits raises
/// it.
constexpr int arithmetic_number = 1;

/// Samples whose gradient is one fp32 sum before it is rounded to fixed point.
constexpr std::size_t block_samples = 8;

/// What a batch gave, exact: tallies add up in any order.
struct Tally {
  std::int64_t loss = 0;     // sum of the samples' cross entropies, in units of loss_unit
  std::int64_t correct = 0;  // samples whose largest logit (the first of equals) is the label's
  std::uint32_t invalid =
      0;  // bit i: a gradient of tensor i was not finite or out of range; bit 4: a loss

  Tally& operator+=(const Tally& other) noexcept {
    loss += other.loss;
    correct += other.correct;
    invalid |= other.invalid;
    return *this;
  }
};

constexpr std::uint32_t invalid_loss = 1u << tensor_count;

/// The tally of one sample.
LOCKSTEP_INLINE Tally sample_tally(float loss, bool correct) noexcept {
  if (!(loss < loss_limit)) return {0, correct, invalid_loss};
  return {loss_to_fixed(loss), correct, 0};
}

struct EngineConfig {
  std::string name = "auto";  // auto | simd | reference | torch
  std::string isa =
      "auto";  // simd only: auto | avx2 | avx512 | neon; a lesser one than the machine's best
  bool dense = false;       // simd only: compute with blank pixels too; same bits, for measurements
  std::size_t workers = 1;  // threads that may call at the same time, each with its own number
  float limit = 8192.0f;    // a block's gradient of this magnitude or more is invalid
  std::optional<std::size_t> gpu = {};  // torch only: the GPU's place in CUDA's order; else the CPU
};

/// Where a worker's time in add_gradient went since the engine was made.
struct EngineSeconds {
  double forward = 0;   // pictures to losses
  double backward = 0;  // losses to the derivatives of every row
  double gradient = 0;  // the weight gradient, its rounding to fixed point included
};

/// Computes the network's gradient and its predictions. `set_parameters` must not run while another
/// call does; the other two may run at the same time with different `worker` numbers.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Takes a copy of the parameters [parameter_count], in the form that the engine computes with.
  virtual void set_parameters(std::span<const float> parameters) = 0;

  /// Adds to `sum` [parameter_count] the gradient of the batch's summed loss in fixed point: block
  /// after block of block_samples samples, each rounded once. Where a value is invalid nothing is
  /// added and the tally says so.
  virtual Tally add_gradient(const Batch& batch, std::span<std::int64_t> sum,
                             std::size_t worker) = 0;

  /// Forward only. `probabilities`, if not empty, is filled [batch size][classes].
  virtual Tally evaluate(const Batch& batch, std::span<float> probabilities,
                         std::size_t worker) = 0;

  /// Of engines that do not tell, all zero. Not while the worker is at work.
  virtual EngineSeconds seconds(std::size_t /*worker*/) const { return {}; }

  virtual std::string name() const = 0;  // "reference", "simd" or "torch"
  virtual std::string isa() const = 0;   // what it runs on: "avx2", "avx512", "neon" or "scalar"
};

/// Makes the engine of that name; `auto` is simd where the machine can, else reference. Throws
/// Error (usage) if it is unknown, not built in, or beyond this machine.
std::unique_ptr<Engine> make_engine(const EngineConfig& config, const ModelShape& shape);

/// The instruction sets that `simd` can use on this machine, best first; empty if none.
std::vector<std::string> supported_isas();

}  // namespace lockstep
