#pragma once

#include <cstdint>
#include <deque>
#include <span>

#include "trainer.hpp"

namespace lockstep {

/// Every rank's memory of the newest records, so that any rank can take over the report where the
/// one that made it died: it holds what may not have been in the files yet. Drops records that come
/// a second time, as they do when steps are taken again.
class Journal final : public Observer {
 public:
  /// The report must flush its files at these steps and at the ends of epochs.
  static constexpr std::uint64_t flush_interval = 256;

  void step(const StepRecord& record) override;
  void epoch(const EpochRecord& record, std::span<const float> parameters) override;

  /// From here on `report` gets the records: first those kept which are newer than `step`, the last
  /// that its files hold, and `epoch`, the last epoch in them. The caller keeps it alive.
  void attach(Observer& report, std::uint64_t step, std::size_t epoch,
              std::span<const float> parameters);

 private:
  Observer* report_ = nullptr;
  std::deque<StepRecord> steps_;
  std::deque<EpochRecord> epochs_;
};

}  // namespace lockstep
