#pragma once

#include <cstdint>

#include "heartbeat.hpp"

namespace lockstep {

/// What this rank does, as its own thread tells it; seen by others while it has a heartbeat.
class Pulse {
 public:
  /// An activity for as long as the object lives, then again the one before.
  class Phase {
   public:
    Phase(Pulse& pulse, Activity activity) : pulse_(pulse), before_(pulse.activity_) {
      pulse_.set(activity);
    }
    ~Phase() { pulse_.set(before_); }
    Phase(const Phase&) = delete;
    Phase& operator=(const Phase&) = delete;

   private:
    Pulse& pulse_;
    Activity before_;
  };

  /// Null: nobody watches. The caller keeps it alive.
  void show(Heartbeat* heart) noexcept {
    heart_ = heart;
    set(activity_);
    set_step(step_);
  }

  Activity activity() const noexcept { return activity_; }
  void set(Activity activity) noexcept {
    activity_ = activity;
    if (heart_ != nullptr) heart_->beat(activity);
  }
  void set_step(std::uint64_t step) noexcept {
    step_ = step;
    if (heart_ != nullptr) heart_->step.store(step, std::memory_order_relaxed);
  }

 private:
  Heartbeat* heart_ = nullptr;
  Activity activity_ = Activity::starting;
  std::uint64_t step_ = 0;
};

}  // namespace lockstep
