#pragma once

#include <cstdint>

namespace lockstep {

enum class Decay { constant, cosine };

/// The learning rate of each step: a linear warm-up over the first `warmup_steps` steps (step t,
/// from 1, gets t / warmup_steps of the rate), then constant or half a cosine down to 0 at the last
/// step (Loshchilov and Hutter, arXiv:1608.03983, without restarts).
struct ScheduleConfig {
  double learning_rate = 1e-3;
  Decay decay = Decay::constant;
  std::uint64_t warmup_steps = 0;
};

class Schedule {
 public:
  Schedule(const ScheduleConfig& config, std::uint64_t total_steps) noexcept
      : config_(config), total_steps_(total_steps) {}

  /// The rate of a step, counted from 1. Same bits on every machine: no libm.
  double rate(std::uint64_t step) const noexcept;

 private:
  ScheduleConfig config_;
  std::uint64_t total_steps_;
};

}  // namespace lockstep
