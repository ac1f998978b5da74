#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/core/buffer.hpp>
#include <lockstep/core/team.hpp>

namespace lockstep {

struct AdamConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double clip_norm = 0;  // the gradient's global norm is brought down to this; 0: never
};

/// Adam (Kingma and Ba, arXiv:1412.6980) in TensorFlow's form, in fp32, each operation rounded
/// once:
///   rate_t = rate * sqrt(1 - beta2^t) / (1 - beta1^t)          in fp64, then rounded to fp32
///   m = fma(beta1, m, (1 - beta1) g)     v = fma(beta2, v, (1 - beta2) (g g))
///   p = p - (rate_t m) / (sqrt(v) + epsilon)
/// The gradient comes as the exact sum: g = fp32(fp64(sum) * factor), where factor is 2^-44 /
/// samples, times clip_norm / norm where the norm is above clip_norm (Pascanu et al.,
/// arXiv:1211.5063).
class Adam {
 public:
  Adam(const AdamConfig& config, std::size_t parameters);

  /// One update, by the team's workers. `sum` is the fixed-point sum of the gradients of `samples`
  /// samples; `step` counts from 1.
  void step(std::span<float> parameters, std::span<const std::int64_t> sum, std::uint64_t samples,
            double rate, std::uint64_t step, Team& team);

  /// The same from a sum in fp32, never clipped; for measurements.
  void step(std::span<float> parameters, std::span<const float> sum, std::uint64_t samples,
            double rate, std::uint64_t step, Team& team);

  /// The moments, to be kept and to be set again; the step's number is the caller's.
  std::span<float> first_moment() noexcept { return first_.span(); }
  std::span<float> second_moment() noexcept { return second_.span(); }
  std::span<const float> first_moment() const noexcept { return first_.span(); }
  std::span<const float> second_moment() const noexcept { return second_.span(); }

 private:
  template <typename Sum>
  void share_out(std::span<float> parameters, std::span<const Sum> sum, double factor, double rate,
                 std::uint64_t step, Team& team);

  AdamConfig config_;
  Buffer<float> first_;
  Buffer<float> second_;
};

/// rate_t of a step (from 1) whose scheduled rate is `rate`.
float adam_rate(const AdamConfig& config, double rate, std::uint64_t step) noexcept;

/// The fp64 Euclidean norm of a fixed-point gradient times 2^-44 / samples, in a fixed order: 64
/// interleaved chains, then pairwise.
double gradient_norm(std::span<const std::int64_t> sum, std::uint64_t samples) noexcept;

}  // namespace lockstep
