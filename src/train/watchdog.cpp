#include "watchdog.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/train/supervisor.hpp>

#include "process_status.hpp"

namespace lockstep {
namespace {

constexpr double period = 0.1;  // seconds between two looks

/// Of the rank that a heartbeat belongs to; not alive where there is none.
ProcessStatus status_of(const Heartbeat& heart) {
  if (heart.activity.load(std::memory_order_relaxed) == Activity::none) return {};
  const ProcessStatus status = process_status(heart.process);
  return status.born == heart.born ? status : ProcessStatus{};
}

std::string_view words(Activity activity) {
  switch (activity) {
    case Activity::none:
      break;
    case Activity::starting:
      return "starting";
    case Activity::computing:
      return "computing";
    case Activity::evaluating:
      return "evaluating";
    case Activity::saving:
      return "saving";
    case Activity::waiting:
      return "waiting for other ranks";
    case Activity::recovering:
      return "recovering from a loss";
  }
  return "not there";
}

/// In one piece, as other ranks may be printing.
void print_line(const std::string& line) {
  const std::string text = "lockstep: " + line + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Watchdog::Watchdog(HeartbeatTable& table, WatchConfig config)
    : table_(table), config_(std::move(config)), seen_(table.size()), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "watchdog");
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Watchdog::run() {
  double last = seconds_now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(period), [&] { return ending_; })) {
    const double now = seconds_now();
    look(std::min(now - last, 2 * period));
    last = now;
  }
}

void Watchdog::look(double seconds) {
  for (std::size_t rank = 0; rank < seen_.size(); ++rank) {
    const std::uint64_t beats = table_[rank].beats.load(std::memory_order_acquire);
    if (beats != seen_[rank].beats) {
      seen_[rank] = {beats, 0, false};
    } else {
      seen_[rank].still += seconds;
    }
  }
  if (seen_[config_.own].still < config_.timeout || !waits(config_.own)) return;
  for (std::size_t rank = 0; rank < config_.own; ++rank) {
    if (waits(rank)) return;  // that one judges
  }
  bool others_wait = true;
  for (std::size_t rank = 0; rank < seen_.size(); ++rank) {
    if (hangs(rank)) {
      if (!std::exchange(seen_[rank].judged, true)) judge(rank);
    } else if (status_of(table_[rank]).alive && !waits(rank)) {
      others_wait = false;  // it moved not long ago
    }
  }
  if (others_wait && seen_[config_.own].still > config_.timeout + config_.patience) give_up();
}

/// In a call, alive and not stopped itself.
bool Watchdog::waits(std::size_t rank) const {
  const Heartbeat& heart = table_[rank];
  if (heart.activity.load(std::memory_order_relaxed) != Activity::waiting) return false;
  if (rank == config_.own) return true;
  const ProcessStatus status = status_of(heart);
  return status.alive && !status.stopped;
}

bool Watchdog::hangs(std::size_t rank) const {
  return rank != config_.own && seen_[rank].still >= config_.timeout && !waits(rank) &&
         status_of(table_[rank]).alive;
}

void Watchdog::judge(std::size_t rank) {
  std::string waiting;
  for (std::size_t other = 0; other < seen_.size(); ++other) {
    if (other == rank || !waits(other)) continue;
    waiting += fmt::format("{}{}", waiting.empty() ? "" : ", ", other);
  }
  const Heartbeat& heart = table_[rank];
  const auto process = heart.process.load();
  print_line(fmt::format(
      "rank {} hangs: on {}, process {}{}, last seen {} at step {}, {:.1f} s ago; "
      "ranks waiting for it here: {}; it is killed",
      rank, config_.host, process, status_of(heart).stopped ? " (stopped by a signal)" : "",
      words(heart.activity.load()), heart.step.load(), seen_[rank].still, waiting));
  ::kill(static_cast<pid_t>(process), SIGKILL);
}

void Watchdog::give_up() const {
  std::string cause = "none of this host is to blame: it is the network, or an error in MPI";
  if (!config_.elsewhere.empty()) {
    cause = "none of this host is to blame: it is the network, or one of " + config_.elsewhere;
  }
  for (std::size_t rank = 0; rank < seen_.size(); ++rank) {
    if (hangs(rank)) cause = fmt::format("rank {} could not be killed", rank);
  }
  print_line(fmt::format(
      "rank {} on {} has waited for other ranks for {:.1f} s at step {}; {}; "
      "start the run again",
      config_.own, config_.host, seen_[config_.own].still, table_[config_.own].step.load(), cause));
  constexpr int code = static_cast<int>(ExitCode::lost_rank);
  tell_supervisor(fmt::format("ended {}", code));
  tell_supervisor("hung");
  for (std::size_t rank = 0; rank < seen_.size(); ++rank) {
    if (rank != config_.own && status_of(table_[rank]).alive) {
      ::kill(static_cast<pid_t>(table_[rank].process), SIGKILL);
    }
  }
  std::_Exit(code);
}

}  // namespace lockstep
