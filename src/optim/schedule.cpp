#include <lockstep/core/exact_math.hpp>
#include <lockstep/optim/schedule.hpp>

#include <algorithm>

namespace lockstep {

double Schedule::rate(std::uint64_t step) const noexcept {
  const double warmup = step < config_.warmup_steps
                            ? static_cast<double>(step) / static_cast<double>(config_.warmup_steps)
                            : 1.0;
  double decay = 1.0;
  if (config_.decay == Decay::cosine && total_steps_ > 0) {
    const std::uint64_t done = std::min(step > 0 ? step - 1 : 0, total_steps_);
    decay = 0.5 * (1.0 + cos_pi(static_cast<double>(done) / static_cast<double>(total_steps_)));
  }
  return config_.learning_rate * warmup * decay;
}

}  // namespace lockstep
