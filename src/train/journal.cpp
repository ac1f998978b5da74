#include "journal.hpp"

namespace lockstep {

namespace {

/// A flush at step s is done when step s + 2 is, as all ranks take part in that.
constexpr std::uint64_t kept_steps = 2 * Journal::flush_interval;
constexpr std::size_t kept_epochs = 2;

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
  if (epochs_.size() > kept_epochs) epochs_.pop_front();
  if (report_ != nullptr) report_->epoch(record, parameters);
}

void Journal::attach(Observer& report, std::uint64_t step, std::size_t epoch,
                     std::span<const float> parameters) {
  report_ = &report;
  for (const StepRecord& record : steps_) {
    // An epoch's record goes between the steps' around it.
    for (const EpochRecord& ended : epochs_) {
      if (ended.epoch > epoch && ended.step + 1 == record.step) report.epoch(ended, parameters);
    }
    if (record.step > step) report.step(record);
  }
  for (const EpochRecord& ended : epochs_) {
    if (ended.epoch > epoch && ended.step == steps_.back().step) report.epoch(ended, parameters);
  }
}

}  // namespace lockstep
