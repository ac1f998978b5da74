#include "progress_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace lockstep {
namespace {

/// 61234 as "61,234", whatever the locale.
std::string with_commas(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ',');
  return digits;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 3.6e8) + 0.5);
  const std::uint64_t hours = whole / 3600;
  const std::uint64_t minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string progress_line(const ProgressFigures& progress, std::size_t columns) {
  const StepRecord& step = progress.step;
  const std::uint64_t total = std::max<std::uint64_t>(progress.total_steps, 1);
  const double share = static_cast<double>(step.step) / static_cast<double>(total);
  std::vector<std::string> parts{
      fmt::format("Step {:>{}}/{}", step.step, fmt::formatted_size("{}", total), total),
      fmt::format("{:3.0f} %", 100 * share), fmt::format("loss {:.3f}", step.loss),
      fmt::format("accuracy {:.3f}", step.accuracy),
      with_commas(progress.samples_per_second) + " samples/s"};
  if (progress.seconds_left >= 0) parts.push_back(duration_text(progress.seconds_left) + " left");

  std::string line;
  for (const std::string& part : parts) {
    const std::string more = (line.empty() ? "" : ", ") + part;
    if (line.size() + more.size() > columns) break;
    line += more;
  }
  return line;
}

std::size_t terminal_columns() {
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    winsize size = {};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

}  // namespace lockstep
