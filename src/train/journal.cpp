#include "journal.hpp"

namespace lockstep {

namespace {

/// What rank 0 wrote at step s is written when step s + 2 is done, as it takes part in that.
constexpr std::uint64_t kept_steps = 2 * Journal::flush_interval;

}  // namespace

void Journal::step(const StepRecord& record) {
  if (!steps_.empty() && record.step <= steps_.back().step) return;
  steps_.push_back(record);
  if (steps_.size() > kept_steps) steps_.pop_front();
  if (report_ != nullptr) report_->step(record);
}

void Journal::epoch(const EpochRecord& record, std::span<const float> parameters) {
  if (!epochs_.empty() && record.epoch <= epochs_.back().epoch) return;
  epochs_.push_back(record);
  if (epochs_.front().step < steps_.front().step) epochs_.pop_front();
  if (report_ != nullptr) report_->epoch(record, parameters);
}

void Journal::checkpoint(const Progress& progress, const TrainingState& state) {
  if (report_ != nullptr) report_->checkpoint(progress, state);
}

}  // namespace lockstep
