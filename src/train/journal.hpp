#pragma once

#include <cstdint>
#include <deque>
#include <span>

#include "trainer.hpp"

namespace lockstep {

/// Every rank's memory of the newest records, so that any rank can take over the report where the
/// one that made it died: it holds what may not have been in the files yet. Hands the records on to
/// the report on the rank that has one, but none a second time: they come again when steps are
/// taken again.
class Journal final : public Observer {
 public:
  /// The report has its files hold all records at these steps and at the ends of epochs.
  static constexpr std::uint64_t flush_interval = 256;

  /// From here on `report` gets the records, unless null. The caller keeps it alive.
  void attach(Observer* report) noexcept { report_ = report; }

  void step(const StepRecord& record) override;
  void epoch(const EpochRecord& record, std::span<const float> parameters) override;
  void checkpoint(const Progress& progress, const TrainingState& state) override;

  /// In the order of their steps.
  const std::deque<StepRecord>& steps() const noexcept { return steps_; }
  const std::deque<EpochRecord>& epochs() const noexcept { return epochs_; }

 private:
  Observer* report_ = nullptr;
  std::deque<StepRecord> steps_;
  std::deque<EpochRecord> epochs_;
};

}  // namespace lockstep
