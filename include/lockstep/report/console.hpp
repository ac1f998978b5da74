#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include <lockstep/report/records.hpp>

namespace lockstep {

struct ConsoleConfig {
  bool quiet = false;    // only warnings, the last line, "Weights SHA-256: ...", and errors
  bool progress = true;  // the progress line, where the output is a terminal
};

/// Where progress was first asked for; the time left follows from the way since.
struct Pace {
  std::uint64_t first_step = 0;  // 0: not yet
  double since = 0;              // seconds_now() then
};

/// The lines that a person reads. One object on rank 0; the other ranks print nothing.
class Console {
 public:
  /// `terminal`: `out` is a terminal, so that a progress line may be redrawn on it. `prefix` (say,
  /// "[synthetic] ") starts every line.
  Console(std::ostream& out, bool terminal, const ConsoleConfig& config, std::string prefix = {});

  void line(const std::string& text);  // unless quiet
  /// Warning: <text>; printed even when quiet.
  void warning(const std::string& text);
  /// Redraws the progress line at most ten times a second, no wider than the terminal; the next
  /// other line takes its place. Cheap enough for every step.
  void progress(const StepRecord& step, std::uint64_t total_steps, double samples_per_second);
  /// Epoch: 1, Train Loss: 0.287, Train Acc: 0.906, Val Loss: 0.271, Val Acc: 0.921
  /// (the last two only where there is a validation set)
  void epoch(const EpochRecord& record);
  /// Test Loss: 0.099, Test Acc: 0.972
  void test(double loss, double accuracy);
  /// Weights SHA-256: <hex>; printed even when quiet.
  void weights(const std::string& sha256);

  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console();  // leaves no progress line behind

 private:
  void print(const std::string& text);
  void clear_progress();

  std::ostream& out_;
  bool terminal_;
  ConsoleConfig config_;
  std::string prefix_;
  Pace pace_;
  double last_progress_;  // when it was drawn
  bool progress_shown_ = false;
};

}  // namespace lockstep
