#include <lockstep/report/console.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <utility>

#include <lockstep/core/clock.hpp>

#include "progress_line.hpp"

namespace lockstep {
namespace {

constexpr double progress_interval = 0.1;  // seconds
constexpr const char* erase_line = "\r\033[K";

double seconds_left(const Pace& pace, std::uint64_t step, std::uint64_t total_steps, double now) {
  if (step <= pace.first_step || total_steps < step) return -1;
  const auto done = static_cast<double>(step - pace.first_step);
  return (now - pace.since) / done * static_cast<double>(total_steps - step);
}

}  // namespace

Console::Console(std::ostream& out, bool terminal, const ConsoleConfig& config, std::string prefix)
    : out_(out),
      terminal_(terminal),
      config_(config),
      prefix_(std::move(prefix)),
      last_progress_(-std::numeric_limits<double>::infinity()) {}

Console::~Console() {
  clear_progress();
}

void Console::line(const std::string& text) {
  if (!config_.quiet) print(text);
}

void Console::warning(const std::string& text) {
  print("Warning: " + text);
}

void Console::progress(const StepRecord& step, std::uint64_t total_steps,
                       double samples_per_second) {
  if (!terminal_ || !config_.progress || config_.quiet) return;
  const double now = seconds_now();
  if (pace_.first_step == 0) pace_ = {step.step, now};
  if (now - last_progress_ < progress_interval) return;
  last_progress_ = now;
  const Progress progress{step, total_steps, samples_per_second,
                          seconds_left(pace_, step.step, total_steps, now)};
  // The last column stays free: a terminal may go to the next line when it is written to.
  const std::size_t columns = terminal_columns() - 1;
  const std::size_t used = std::min(prefix_.size(), columns);
  out_ << erase_line << prefix_.substr(0, used) << progress_line(progress, columns - used)
       << std::flush;
  progress_shown_ = true;
}

void Console::epoch(const EpochRecord& record) {
  std::string text = fmt::format("Epoch: {}, Train Loss: {:.3f}, Train Acc: {:.3f}", record.epoch,
                                 record.train_loss, record.train_accuracy);
  if (std::isfinite(record.validation_loss)) {
    text += fmt::format(", Val Loss: {:.3f}, Val Acc: {:.3f}", record.validation_loss,
                        record.validation_accuracy);
  }
  line(text);
}

void Console::test(double loss, double accuracy) {
  line(fmt::format("Test Loss: {:.3f}, Test Acc: {:.3f}", loss, accuracy));
}

void Console::weights(const std::string& sha256) {
  print(fmt::format("Weights SHA-256: {}", sha256));
}

void Console::print(const std::string& text) {
  clear_progress();
  out_ << prefix_ << text << std::endl;
}

void Console::clear_progress() {
  if (progress_shown_) out_ << erase_line << std::flush;
  progress_shown_ = false;
}

}  // namespace lockstep
