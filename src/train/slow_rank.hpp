#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <lockstep/report/records.hpp>

namespace lockstep {

/// Finds a rank that the others wait for, by the ranks' times of step after step.
class SlowRankAlarm {
 public:
  static constexpr double share = 0.2;         // of a step that it costs, or more,
  static constexpr std::uint64_t steps = 100;  // in a row

  struct Verdict {
    std::size_t rank = 0;
    double share =
        0;  // of those steps' time, that the others would save if it were as fast as they
  };

  /// To be called with every step. The first verdict is the only one.
  std::optional<Verdict> add(const StepRecord& step);

 private:
  std::size_t rank_ = 0;      // whom the others waited for last,
  std::uint64_t in_row_ = 0;  // for so many steps,
  double waited_ = 0;         // so many seconds
  double seconds_ = 0;        // of so many
  bool told_ = false;
};

}  // namespace lockstep
