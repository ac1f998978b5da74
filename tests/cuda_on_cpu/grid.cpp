#include "grid.hpp"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cstring>
#include <mutex>
#include <numeric>
#include <random>
#include <stdexcept>

#include "copies.hpp"
#include "races.hpp"

extern "C" char __start_shared_memory[] __attribute__((weak));
extern "C" char __stop_shared_memory[] __attribute__((weak));

namespace cuda_on_cpu {

Place place;
Control control;
std::mutex one_at_a_time;

namespace {

namespace context = boost::context;

constexpr unsigned warp_size = 32;
constexpr std::size_t stack_bytes = 64 * 1024;
constexpr std::size_t kept_reports = 8;

enum class State { ready, at_barrier, at_exchange, ended };

/// Stacks for the threads of a block, used again by the next.
struct Stacks {
  context::stack_context at(std::size_t thread) {
    while (all.size() <= thread) all.push_back(context::fixedsize_stack(stack_bytes).allocate());
    return all[thread];
  }
  std::vector<context::stack_context> all;
};
Stacks stacks;

struct KeptStack {
  void deallocate(context::stack_context&) noexcept {}
};

struct Thread {
  context::fiber fiber;
  State state = State::ready;
  Barrier barrier;
  std::uint64_t value = 0;  // given to the warp, then taken from it
  unsigned lanes = 0;
};

/// One block's threads, each a fiber.
class Block {
 public:
  Block(Size size, void (*kernel)(const void*), const void* call, std::mt19937_64& random)
      : threads_(size.x), random_(random) {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      const context::stack_context stack = stacks.at(i);
      threads_[i].fiber =
          context::fiber(std::allocator_arg, context::preallocated(stack.sp, stack.size, stack),
                         KeptStack(), [kernel, call, this](context::fiber&& scheduler) {
                           scheduler_ = std::move(scheduler);
                           kernel(call);
                           current_->state = State::ended;
                           return std::move(scheduler_);
                         });
    }
  }

  void run() {
    for (;;) {
      if (!run_ready() && !release()) break;
    }
  }

  void wait(State state) {
    current_->state = state;
    scheduler_ = std::move(scheduler_).resume();
  }
  Thread& current() { return *current_; }

 private:
  /// Each that can runs until it must wait, in random order.
  bool run_ready() {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (threads_[i].state == State::ready) ready.push_back(i);
    }
    std::ranges::shuffle(ready, random_);
    for (const std::size_t i : ready) {
      current_ = &threads_[i];
      place.thread = {static_cast<unsigned>(i), 0, 0};
      enter_thread(i, stacks.all[i].sp, stacks.all[i].size);
      current_->fiber = std::move(current_->fiber).resume();
      leave_thread();
    }
    return !ready.empty();
  }

  /// Lets go whole warps that exchange values, then the whole block from its barrier.
  bool release() {
    bool any = false;
    for (std::size_t first = 0; first < threads_.size(); first += warp_size) {
      any = release_warp(first) || any;
    }
    if (any) return true;
    const auto ended = std::ranges::count(threads_, State::ended, &Thread::state);
    if (ended == std::ssize(threads_)) return false;
    for (const Thread& thread : threads_) {
      if (thread.state != State::at_barrier || thread.barrier != threads_[0].barrier) {
        report("not all threads of the block come to the barrier or shuffle at " +
               thread.barrier.file + ":" + std::to_string(thread.barrier.line));
        throw std::runtime_error("a kernel's threads wait for each other forever");
      }
    }
    for (Thread& thread : threads_) thread.state = State::ready;
    next_interval();
    return true;
  }

  bool release_warp(std::size_t first) {
    const std::size_t end = std::min(first + warp_size, threads_.size());
    for (std::size_t i = first; i < end; ++i) {
      if (threads_[i].state != State::at_exchange) return false;
    }
    std::vector<std::uint64_t> values;
    for (std::size_t i = first; i < end; ++i) values.push_back(threads_[i].value);
    for (std::size_t i = first; i < end; ++i) {
      const std::size_t from = (i - first) ^ threads_[i].lanes;
      if (from < values.size()) threads_[i].value = values[from];
      threads_[i].state = State::ready;
    }
    return true;
  }

  std::vector<Thread> threads_;
  std::mt19937_64& random_;
  context::fiber scheduler_;
  Thread* current_ = nullptr;
};

Block* running = nullptr;

}  // namespace

void report(const std::string& line) {
  ++control.report_count;
  if (control.reports.size() < kept_reports) control.reports.push_back(line);
}

void run_grid(Size grid, Size block, void (*kernel)(const void*), const void* call,
              std::size_t call_bytes) {
  if (grid.x == 0 || block.x == 0 || block.x > 1024 || block.y * block.z != 1) {
    throw std::invalid_argument("a launch that CUDA refuses, or that the stand-in has no need of");
  }
  const std::lock_guard lock(one_at_a_time);
  std::mt19937_64 random(control.seed);
  std::vector<unsigned> blocks(std::size_t{grid.x} * grid.y * grid.z);
  std::iota(blocks.begin(), blocks.end(), 0u);
  std::ranges::shuffle(blocks, random);
  place.block_size = block;
  place.grid_size = grid;
  begin_launch(call, call_bytes);
  for (const unsigned number : blocks) {
    place.block = {number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y};
    std::memset(__start_shared_memory, 0xff,
                static_cast<std::size_t>(__stop_shared_memory - __start_shared_memory));
    begin_block();
    Block threads(block, kernel, call, random);
    running = &threads;
    threads.run();
    running = nullptr;
    forget_copies();
  }
}

void barrier(const char* file, int line) {
  leave_thread();
  const Barrier here{file, line};
  if (std::ranges::find(control.barriers, here) == control.barriers.end()) {
    control.barriers.push_back(here);
  }
  if (here != control.ignored) {
    running->current().barrier = here;
    running->wait(State::at_barrier);
  } else {
    return_to_thread();
  }
}

std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned lanes) {
  leave_thread();
  if (mask != 0xffffffffu) report("a shuffle without all lanes of the warp");
  Thread& self = running->current();
  self.value = value;
  self.lanes = lanes;
  running->wait(State::at_exchange);
  return self.value;
}

}  // namespace cuda_on_cpu
