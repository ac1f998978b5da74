#include <lockstep/core/team.hpp>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <lockstep/core/processors.hpp>

namespace lockstep {
namespace {

/// A waiter looks for about 50 us, then lets others have the processor between its looks for about
/// as long again if there are none, then sleeps. A step's waits are shorter, and a sleeper takes
/// longer to come back; who waits for a thread that has no processor gives it one.
constexpr int spins = 2000;
constexpr int yields = 200;

void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void pin_to(std::span<const int> processors) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);  // a refusal costs speed, no result
}

}  // namespace

struct Team::State {
  std::vector<int> processors = allowed_processors();
  bool pinned = false;
  int spins_before_yield = 0;  // none where there are more workers than processors
  std::atomic<std::uint64_t> job_number{0};
  std::atomic<std::uint64_t> jobs_done{0};  // by all workers but 0, summed
  const std::function<void(std::size_t)>* job = nullptr;
  bool ending = false;
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::jthread> threads;

  /// Returns when `value` is no longer `old`.
  void wait_while_equal(const std::atomic<std::uint64_t>& value, std::uint64_t old) noexcept {
    for (int i = 0; i < spins_before_yield + yields; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      if (i < spins_before_yield) {
        pause_processor();
      } else {
        sched_yield();
      }
    }
    value.wait(old, std::memory_order_acquire);
  }

  void execute(std::size_t worker) noexcept {
    try {
      (*job)(worker);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  }

  void serve(std::size_t worker) noexcept {
    for (std::uint64_t seen = 0;; ++seen) {
      wait_while_equal(job_number, seen);
      if (ending) return;
      execute(worker);
      jobs_done.fetch_add(1, std::memory_order_acq_rel);
      jobs_done.notify_one();
    }
  }

  void publish() noexcept {
    job_number.fetch_add(1, std::memory_order_acq_rel);
    job_number.notify_all();
  }
};

Team::Team(std::size_t size, bool pin)
    : size_(std::max<std::size_t>(size, 1)), state_(std::make_unique<State>()) {
  const std::span<const int> processors = state_->processors;
  if (processors.size() >= size_) state_->spins_before_yield = spins;
  state_->pinned = pin && size_ > 1 && processors.size() >= size_;
  for (std::size_t worker = 1; worker < size_; ++worker) {
    state_->threads.emplace_back([this, worker, processors] {
      if (state_->pinned) pin_to(processors.subspan(worker, 1));
      state_->serve(worker);
    });
  }
  if (state_->pinned) pin_to(processors.first(1));
}

Team::~Team() {
  state_->ending = true;
  state_->publish();
  if (state_->pinned) pin_to(state_->processors);
}

void Team::run_all(const std::function<void(std::size_t)>& job) {
  state_->job = &job;
  const std::uint64_t before = state_->jobs_done.load(std::memory_order_acquire);
  if (size_ > 1) state_->publish();
  state_->execute(0);
  for (std::uint64_t done = before; done < before + size_ - 1;) {
    state_->wait_while_equal(state_->jobs_done, done);
    done = state_->jobs_done.load(std::memory_order_acquire);
  }
  if (state_->failure) std::rethrow_exception(std::exchange(state_->failure, nullptr));
}

}  // namespace lockstep
