#include "device_replica.cuh"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <lockstep/core/clock.hpp>

namespace lockstep {
namespace {

struct NamedPart {
  Part part;
  const char* name;
};
constexpr std::array all_parts = {NamedPart{Part::samples, "forward, backward"},
                                  NamedPart{Part::gradient, "weight gradient"},
                                  NamedPart{Part::seal, "seal"},
                                  NamedPart{Part::reduce, "all-reduce"},
                                  NamedPart{Part::clip, "gradient's norm"},
                                  NamedPart{Part::finish, "Adam"},
                                  NamedPart{Part::conclude, "verification, choice"}};

/// A shorter wait is not slept through: a sleep lasts up to 0.1 ms longer than it should.
constexpr double shortest_sleep = 200e-6;
constexpr double longest_sleep = 1e-3;

}  // namespace

/// Takes the step, and where the host has no part in the sum those up to request.until.
void DeviceReplica::launch(std::uint64_t step, const StepRequest& request) {
  if (failure_) std::rethrow_exception(failure_);
  const std::size_t count =
      !has_run_ || sums_on_host() || request.until <= step
          ? 1
          : std::min<std::size_t>(request.until - step + 1, DeviceTurn::most_steps);
  const double begin = seconds_now();
  answers_ = answered_ = 0;
  parameters_.clear();
  if (!std::exchange(sum_is_zero_, false)) sum_.clear(stream_.get());
  sum_.ask(turn(step, request, count), stream_.get());
  shards_.choose(sum_.step(), stream_.get());
  give_up_sums_if_lost([&] { take_steps(count); });
  sum_.fetch(count, stream_.get());
  wait(step_seconds_ * static_cast<double>(count));
  sum_is_zero_ = true;
  while (answers_ < count && sum_.verdict(answers_).taken) ++answers_;
  adam_.advance(answers_);
  seconds_each_ = answers_ > 1 ? (seconds_now() - begin) / static_cast<double>(answers_) : 0;
  step_seconds_ = fastest_step();
  if (answers_ == 0 || (answers_ < count && failed(sum_.verdict(answers_)))) ++answers_;
}

/// Of the steps that were taken, by the GPU's clock: a sleep of the host, or one rank that kept the
/// others waiting, does not prolong the next wait.
double DeviceReplica::fastest_step() const {
  double seconds = 0;
  for (std::size_t i = 0; i < answers_; ++i) {
    const RankReport report = from_numbers(sum_.verdict(i).report);
    const double own = report.compute_seconds + report.reduce_seconds;
    seconds = i == 0 ? own : std::min(seconds, own);
  }
  return seconds;
}

DeviceTurn DeviceReplica::turn(std::uint64_t step, const StepRequest& request,
                               std::size_t count) const {
  DeviceTurn turn;
  turn.step.number = step;
  turn.report = {request.stop, request.failure, last_step_.compute, last_step_.reduce};
  for (std::size_t i = 0; i < count; ++i) {
    turn.rates[i] = adam_rate(adam_config_, schedule_.rate(step + i), step + i);
  }
  return turn;
}

void DeviceReplica::take_steps(std::size_t count) {
  const std::size_t current = adam_.current();
  if (sums_on_host()) {
    run(gradient_[current], [&] { enqueue(Part::samples, Part::seal, 0); });
    sum_on_host();
    run(update_[current], [&] { enqueue(Part::clip, Part::conclude, 0); });
  } else {
    run(steps_[current][count], [&] { enqueue_steps(count, Part::conclude); });
  }
  has_run_ = true;
}

/// As a graph, but for the first time: CUDA loads kernels and NCCL connects the ranks when they are
/// used first, which a capture need not allow.
template <typename Work>
void DeviceReplica::run(cuda::Graph& graph, const Work& work) {
  if (has_run_) {
    graph.launch(stream_.get(), work);
  } else {
    work();
  }
}

void DeviceReplica::enqueue_steps(std::size_t count, Part last) {
  for (std::size_t index = 0; index < count; ++index) enqueue(Part::samples, last, index);
  join();
}

/// Of step `index` of a launch the parts from `first` to `last`.
void DeviceReplica::enqueue(Part first, Part last, std::size_t index) {
  for (const NamedPart& each : all_parts) {
    if (each.part >= first && each.part <= last && has(each.part)) enqueue(each.part, index);
  }
}

bool DeviceReplica::has(Part part) const noexcept {
  if (part == Part::seal) return !is_alone();
  if (part == Part::reduce) return reducer_ != nullptr;
  return part != Part::clip || adam_.clips();
}

void DeviceReplica::enqueue(Part part, std::size_t index) {
  cudaStream_t stream = stream_.get();
  const float* weights = adam_.state(index).parameters;
  switch (part) {
    case Part::samples:
      return network_.run(weights, shards_.chosen(index), sum_.tally(), stream);
    case Part::gradient:
      return network_.add_gradient(sum_.block(), sum_.tally(), sum_.checksum(), stream);
    case Part::seal:
      return sum_.seal(index, weights, stream);
    case Part::reduce:
      return reducer_->all_reduce(sum_.block(), sum_.size(), stream);
    case Part::clip:
      return adam_.clip(sum_.block(), stream);
    case Part::finish:
      join();
      return sum_.finish(index, adam_.step(index), stream);
    case Part::conclude:
      return is_alone() ? conclude_beside(index)
                        : sum_.conclude(index, shards_.choice(index + 2), stream);
  }
}

/// While the next step's kernels run.
void DeviceReplica::conclude_beside(std::size_t index) {
  cuda::record(finished_, stream_.get());
  cuda::wait_for(finished_, beside_.get());
  sum_.conclude(index, shards_.choice(index + 2), beside_.get());
  cuda::record(concluded_, beside_.get());
  is_concluding_ = true;
}

/// The stream goes on when the step before has been concluded.
void DeviceReplica::join() {
  if (std::exchange(is_concluding_, false)) cuda::wait_for(concluded_, stream_.get());
}

void DeviceReplica::sum_on_host() {
  cuda::copy_to_host(sum_.block(), host_sum_.span(), stream_.get());
  cuda::wait(stream_.get());
  communicator_.all_reduce(host_sum_.span());
  cuda::copy_to_device(std::span<const std::int64_t>(host_sum_.span()), sum_.block(),
                       stream_.get());
}

/// Sleeps through the larger part of a long wait, so that it does not take a core.
void DeviceReplica::wait(double expected_seconds) {
  const double end = seconds_now() + 0.75 * expected_seconds;
  try {
    while (!cuda::is_done(stream_.get())) {
      if (reducer_ != nullptr) reducer_->check();
      const double left = end - seconds_now();
      if (left > shortest_sleep) {
        std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, longest_sleep)));
      } else if (reducer_ != nullptr) {
        std::this_thread::yield();
      } else {
        break;
      }
    }
  } catch (const RankLost&) {
    give_up_sums();
  }
  cuda::wait(stream_.get());
}

/// Work that enqueues sums: where it fails, those before them are given up.
template <typename Work>
void DeviceReplica::give_up_sums_if_lost(const Work& work) {
  try {
    work();
  } catch (const RankLost&) {
    if (reducer_ != nullptr) give_up_sums();
    throw;
  }
}

/// After a sum that cannot be had: brings the stream to its end. In the handler of the exception.
/// The reducer waits for graphs that hold its sums, so these go first.
void DeviceReplica::give_up_sums() {
  failure_ = std::current_exception();
  for (auto& graphs : steps_) graphs.clear();
  timed_.reset();
  reducer_->abort();
  cuda::wait(stream_.get());
}

/// Each part's seconds are what it adds to the steps of a graph that ends with it. Verdicts say
/// first that all steps are taken, so that Adam takes them.
std::vector<PartSeconds> DeviceReplica::time_parts(std::size_t launches) {
  if (sums_on_host()) return {};
  std::vector<PartSeconds> result;
  step_seconds_to(Part::conclude, 1);
  double before = 0;
  for (const NamedPart& each : all_parts) {
    if (!has(each.part)) continue;
    const double seconds = step_seconds_to(each.part, launches);
    result.push_back({each.name, seconds - std::exchange(before, seconds)});
  }
  return result;
}

/// Of steps that end with that part: the median of the launches, by events on the stream.
double DeviceReplica::step_seconds_to(Part last, std::size_t launches) {
  constexpr std::size_t count = DeviceTurn::most_steps;
  const cuda::Event begin = cuda::make_event(), end = cuda::make_event();
  std::vector<double> seconds(launches);
  timed_.reset();
  for (double& each : seconds) {
    sum_.clear(stream_.get());
    sum_.ask(turn(step_ + 1, {}, count), stream_.get());
    cuda::record(begin, stream_.get());
    give_up_sums_if_lost(
        [&] { timed_.launch(stream_.get(), [&] { enqueue_steps(count, last); }); });
    cuda::record(end, stream_.get());
    wait(0);
    if (failure_) std::rethrow_exception(failure_);
    each = cuda::seconds_between(begin, end) / count;
  }
  std::ranges::sort(seconds);
  return seconds[launches / 2];
}

}  // namespace lockstep
