#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include <lockstep/report/records.hpp>

namespace lockstep {

struct ConsoleConfig {
  bool quiet = false;    // only the last line, "Weights SHA-256: ...", and errors
  bool progress = true;  // the progress line, where the output is a terminal
};

/// The lines that a person reads. One object on rank 0; the other ranks print nothing.
class Console {
 public:
  /// `terminal`: `out` is a terminal, so that a progress line may be redrawn on it. `prefix` (say,
  /// "[synthetic] ") starts every line.
  Console(std::ostream& out, bool terminal, const ConsoleConfig& config, std::string prefix = {});

  void line(const std::string& text);  // unless quiet
  void progress(const StepRecord& step, std::uint64_t total_steps, double samples_per_second);
  /// Epoch: 1, Train Loss: 0.287, Train Acc: 0.906, Val Loss: 0.271, Val Acc: 0.921
  void epoch(const EpochRecord& record);
  /// Test Loss: 0.099, Test Acc: 0.972
  void test(double loss, double accuracy);
  /// Weights SHA-256: <hex>; printed even when quiet.
  void weights(const std::string& sha256);

 private:
  void clear_progress();

  std::ostream& out_;
  bool terminal_;
  ConsoleConfig config_;
  std::string prefix_;
  double last_progress_ = 0;
  bool progress_shown_ = false;
};

}  // namespace lockstep
