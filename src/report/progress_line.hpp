#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <lockstep/report/records.hpp>

namespace lockstep {

/// What a progress line says. `seconds_left` is negative while it is not known.
struct ProgressFigures {
  const StepRecord& step;
  std::uint64_t total_steps = 0;
  double samples_per_second = 0;
  double seconds_left = -1;
};

/// Step 1234/4290, 29 %, loss 0.287, accuracy 0.906, 61,234 samples/s, 0:41 left
/// Parts that do not fit into `columns` are left out from the end.
std::string progress_line(const ProgressFigures& progress, std::size_t columns);

/// 41 s: "0:41"; an hour and more: "1:02:03".
std::string duration_text(double seconds);

/// Columns of the terminal of standard output or else error; 80 where neither is one.
std::size_t terminal_columns();

}  // namespace lockstep
