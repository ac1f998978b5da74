#include <lockstep/train/stop.hpp>

#include <atomic>
#include <csignal>

#include <lockstep/core/clock.hpp>

namespace lockstep {
namespace {

constexpr double same_request_seconds = 2;

std::atomic<bool> requested = false;
std::atomic<double> first_signal = 0;  // by a clock that a handler may read
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<double>::is_always_lock_free,
              "set in a signal handler");

extern "C" void on_signal(int number) {
  const double now = seconds_now();
  if (first_signal == 0) {
    first_signal = now;
    requested = true;
  } else if (number == SIGINT || now - first_signal > same_request_seconds) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGUSR1, &action, nullptr);
}

bool stop_requested() noexcept {
  return requested;
}
void request_stop() noexcept {
  requested = true;
}

}  // namespace lockstep
