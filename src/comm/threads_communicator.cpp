#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/error.hpp>

#include "end_process.hpp"

namespace lockstep {

namespace {

/// What all groups of one run_on_threads share.
struct Run {
  std::mutex mutex;
  std::condition_variable changed;
  bool failed = false;
  std::exception_ptr failure;
};

bool is_echo(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return *error.what() == '\0';
  } catch (...) {
    return false;
  }
}

/// The meeting place of `size` ranks.
class Group {
 public:
  Group(Run& run, std::size_t ranks) : size(ranks), parts(ranks), run_(run) {}

  /// Waits until all ranks are here. Throws if one never will be.
  void meet() {
    std::unique_lock lock(run_.mutex);
    throw_if_hopeless();
    const auto generation = enter();
    run_.changed.wait(
        lock, [&] { return generation != generation_ || run_.failed || ended_ || broken_; });
    if (generation == generation_) throw_if_hopeless();
  }

  /// Waits until all ranks, which have met before, are here again. They can't fail in between, so
  /// this does not throw: a rank that left early would free memory that others still write to.
  void part() noexcept {
    std::unique_lock lock(run_.mutex);
    const auto generation = enter();
    run_.changed.wait(lock, [&] { return generation != generation_; });
  }

  void poll() {
    const std::lock_guard lock(run_.mutex);
    if (run_.failed || broken_) throw_if_hopeless();
  }

  /// A rank will make no more calls.
  void end() {
    const std::lock_guard lock(run_.mutex);
    ended_ = true;
    run_.changed.notify_all();
  }

  /// A rank is gone.
  void lose(std::size_t rank) {
    const std::lock_guard lock(run_.mutex);
    dead_.push_back(rank);
    breaks();
  }

  /// Waits until all survivors are here. Returns their group and who is gone.
  std::pair<std::shared_ptr<Group>, std::vector<std::size_t>> leave() {
    std::unique_lock lock(run_.mutex);
    ++leaving_;
    breaks();
    run_.changed.wait(lock, [&] { return survivors_ || survivors_are(leaving_) || run_.failed; });
    if (run_.failed) throw Error(ExitCode::lost_rank, "");
    if (!survivors_) survivors_ = std::make_shared<Group>(run_, leaving_);
    run_.changed.notify_all();
    std::ranges::sort(dead_);
    return {survivors_, dead_};
  }

  const std::size_t size;
  std::vector<std::span<std::byte>> parts;  // of each rank, between meet and part
  std::shared_ptr<Group> child;             // of rank 0, between meet and part
  Run& run() noexcept { return run_; }

 private:
  std::uint64_t enter() noexcept {
    const auto generation = generation_;
    if (++arrived_ == size) {
      arrived_ = 0;
      ++generation_;
      run_.changed.notify_all();
    }
    return generation;
  }

  bool survivors_are(std::size_t count) const { return count == size - dead_.size(); }

  void breaks() {
    broken_ = true;
    run_.changed.notify_all();
  }

  void throw_if_hopeless() const {
    if (run_.failed) throw Error(ExitCode::lost_rank, "");
    if (broken_) throw RankLost("a rank died");
    if (ended_) throw std::logic_error("a rank has ended its job while others wait for it");
  }

  Run& run_;
  std::size_t arrived_ = 0;
  std::uint64_t generation_ = 0;
  bool ended_ = false;
  bool broken_ = false;  // a rank is dead, or has called leave()
  std::vector<std::size_t> dead_;
  std::size_t leaving_ = 0;
  std::shared_ptr<Group> survivors_;
};

class ThreadsCommunicator final : public Communicator {
 public:
  ThreadsCommunicator(std::shared_ptr<Group> group, std::size_t rank)
      : group_(std::move(group)), rank_(rank) {}

  std::size_t rank() const noexcept override { return rank_; }
  std::size_t size() const noexcept override { return group_->size; }
  std::string name() const override { return "threads"; }
  std::string description() const override { return "threads of one process"; }

  void all_reduce(std::span<std::int64_t> values) override {
    sum_places<std::int64_t, std::uint64_t>(values);  // unsigned: wraps
  }
  void all_reduce(std::span<float> values) override { sum_places<float, float>(values); }

  void broadcast(std::span<std::byte> bytes, std::size_t root) override {
    const auto& source = group_->parts.at(root);
    meet_with(bytes);
    if (rank_ != root) std::ranges::copy(source, bytes.begin());
    group_->part();
  }

  void barrier() override { group_->meet(); }

  void poll() override { group_->poll(); }

  bool can_recover() const noexcept override { return true; }

  std::vector<std::size_t> recover() override {
    auto [survivors, lost] = group_->leave();
    rank_ -= static_cast<std::size_t>(
        std::ranges::count_if(lost, [&](std::size_t rank) { return rank < rank_; }));
    group_ = std::move(survivors);
    return lost;
  }

  void end() { group_->end(); }
  void die() { group_->lose(rank_); }

  std::unique_ptr<Communicator> first(std::size_t count) override {
    if (rank_ == 0) group_->child = std::make_shared<Group>(group_->run(), std::min(count, size()));
    group_->meet();
    auto child = group_->child;
    group_->part();
    if (rank_ >= count) return nullptr;
    return std::make_unique<ThreadsCommunicator>(std::move(child), rank_);
  }

  [[noreturn]] void abort(int exit_code) noexcept override { end_process(exit_code); }

 private:
  void meet_with(std::span<std::byte> part) {
    group_->parts[rank_] = part;
    group_->meet();
    for (const auto& other : group_->parts) {
      if (other.size() == group_->parts[0].size()) continue;
      group_->part();
      throw std::logic_error("the ranks gave a collective call different sizes");
    }
  }

  template <typename T, typename Sum>
  void sum_places(std::span<T> values) {
    meet_with(std::as_writable_bytes(values));
    // Each rank sums its own slice of the places, for all.
    const std::size_t begin = values.size() * rank_ / size();
    const std::size_t end = values.size() * (rank_ + 1) / size();
    for (std::size_t i = begin; i < end; ++i) {
      const auto place = [i](std::span<std::byte> part) -> T& {
        return reinterpret_cast<T*>(part.data())[i];
      };
      Sum sum = 0;
      for (const auto& part : group_->parts) sum += static_cast<Sum>(place(part));
      for (const auto& part : group_->parts) place(part) = static_cast<T>(sum);
    }
    group_->part();
  }

  std::shared_ptr<Group> group_;
  std::size_t rank_;
};

/// Keeps the first failure, but a cause before its echoes on other ranks, whichever came first.
void fail(Run& run, const std::exception_ptr& failure) {
  const std::lock_guard lock(run.mutex);
  if (!run.failure || (is_echo(run.failure) && !is_echo(failure))) run.failure = failure;
  run.failed = true;
  run.changed.notify_all();
}

void run_rank(const std::shared_ptr<Group>& world, std::size_t rank,
              const std::function<void(Communicator&)>& job) {
  ThreadsCommunicator communicator(world, rank);
  try {
    job(communicator);
    communicator.end();
  } catch (const RankDeath&) {
    communicator.die();
  } catch (...) {
    fail(world->run(), std::current_exception());
  }
}

}  // namespace

void run_on_threads(std::size_t size, const std::function<void(Communicator&)>& job) {
  Run run;
  const auto world = std::make_shared<Group>(run, size);
  std::vector<std::jthread> threads;
  try {
    for (std::size_t rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] { run_rank(world, rank, job); });
    }
  } catch (...) {  // no more threads to be had: those that run must not wait for the others
    fail(run, std::current_exception());
  }
  threads.clear();  // joins
  if (run.failure) std::rethrow_exception(run.failure);
}

}  // namespace lockstep
