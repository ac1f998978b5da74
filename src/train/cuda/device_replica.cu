#include "device_replica.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <core/cuda.cuh>
#include <lockstep/core/clock.hpp>
#include <model/device_network.cuh>
#include <optim/device_adam.cuh>

#include "device_batch.cuh"
#include "device_shards.cuh"
#include "device_sum.cuh"

namespace lockstep {
namespace {

/// What a step enqueues, in this order.
enum class Part { samples, gradient, seal, reduce, clip, finish, conclude };

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

class DeviceReplica final : public Replica {
 public:
  DeviceReplica(const ModelShape& shape, float limit, std::span<const float> parameters,
                std::span<const LocalShard> shards, std::size_t batch_size,
                Communicator& communicator, DeviceReducer* reducer, const AdamConfig& adam,
                const Schedule& schedule);

  StepOutcome step(std::uint64_t step, const StepRequest& request) override;
  Tally tally(std::uint64_t step) override;
  Tally evaluate(const Batch& batch, std::span<float> probabilities) override;
  std::span<const float> parameters() const override;
  TrainingState state() const override;
  void restore(const TrainingState& state) override;
  RankReport last_step() const override { return from_numbers(last_step_); }
  std::vector<PartSeconds> time_parts(std::size_t launches) override;

 private:
  bool sums_on_host() const noexcept { return reducer_ == nullptr && communicator_.size() > 1; }
  bool is_alone() const noexcept { return reducer_ == nullptr && communicator_.size() == 1; }
  void launch(std::uint64_t step, const StepRequest& request);
  DeviceTurn turn(std::uint64_t step, const StepRequest& request, std::size_t count) const;
  void take_steps(std::size_t count);
  template <typename Work>
  void run(cuda::Graph& graph, const Work& work);
  bool has(Part part) const noexcept;
  void enqueue_steps(std::size_t count, Part last);
  void enqueue(Part first, Part last, std::size_t index);
  void enqueue(Part part, std::size_t index);
  void conclude_beside(std::size_t index);
  void join();
  void sum_on_host();
  void wait(double expected_seconds);
  void give_up_sums();
  double step_seconds_to(Part last, std::size_t launches);
  Tally evaluate(const DevicePictures& pictures, float* probabilities);
  bool failed(const StepVerdict& verdict) const {
    return failure_ != nullptr || verdict.fault != SumFault::none;
  }
  std::vector<float> to_host(const float* block) const;
  void to_device(const std::vector<float>& values, float* block);

  std::uint64_t step_ = 0;  // the last one taken
  std::size_t batch_size_;
  Communicator& communicator_;
  DeviceReducer* reducer_;
  AdamConfig adam_config_;
  Schedule schedule_;
  cuda::Stream stream_ = cuda::make_stream();
  cuda::Stream beside_ = cuda::make_stream();
  cuda::Event finished_ = cuda::make_event(), concluded_ = cuda::make_event();
  bool is_concluding_ = false;
  DeviceShards shards_;
  DeviceNetwork network_;
  DeviceSum sum_;
  DeviceAdam adam_;
  bool has_run_ = false;  // every kernel, and the reducer
  // By DeviceAdam::current(): steps, by their number; and where the host sums, what is before it
  // and after it.
  std::array<std::map<std::size_t, cuda::Graph>, 2> steps_;
  std::array<cuda::Graph, 2> gradient_;
  std::array<cuda::Graph, 2> update_;
  cuda::PinnedMemory<std::int64_t> host_sum_;
  bool sum_is_zero_ = true;
  std::size_t answers_ = 0;  // verdicts that are worth reading, and how many of them were read
  std::size_t answered_ = 0;
  double seconds_each_ = 0;  // of the steps that they are of
  double step_seconds_ = 0;  // of the last steps that were launched together; 0: not known yet
  ReportNumbers last_step_;
  std::exception_ptr failure_;  // of the reducer: no further step can be taken
  DeviceBatch batch_;
  cuda::DeviceMemory<DeviceTally> evaluated_{1};
  mutable std::vector<float> parameters_;  // a copy, where it is not empty
};

DeviceReplica::DeviceReplica(const ModelShape& shape, float limit,
                             std::span<const float> parameters, std::span<const LocalShard> shards,
                             std::size_t batch_size, Communicator& communicator,
                             DeviceReducer* reducer, const AdamConfig& adam,
                             const Schedule& schedule)
    : batch_size_(batch_size),
      communicator_(communicator),
      reducer_(reducer),
      adam_config_(adam),
      schedule_(schedule),
      shards_(shards, stream_.get()),
      network_(shape, limit, shards_.blocks(), stream_.get()),
      sum_({parameters.size(), communicator.size(), communicator.rank(), shards_.samples(),
            batch_size, is_alone()},
           stream_.get()),
      adam_(adam, parameters.size(), batch_size),
      host_sum_(sums_on_host() ? sum_.size() : 0) {
  const std::vector<float> zeros(parameters.size());
  restore({0, {parameters.begin(), parameters.end()}, zeros, zeros});
}

StepOutcome DeviceReplica::step(std::uint64_t step, const StepRequest& request) {
  if (answered_ == answers_) launch(step, request);
  const StepVerdict verdict = sum_.verdict(answered_++);
  // An invalid value is found in a whole sum, by all ranks: some may have ended over it already.
  if (failure_ && !verdict.taken && verdict.fault != SumFault::invalid) {
    std::rethrow_exception(failure_);
  }
  throw_fault(verdict.fault, verdict.tail, step, batch_size_);
  step_ = step;
  last_step_ = verdict.report;
  StepOutcome outcome = read_tail(verdict.tail);
  outcome.seconds = seconds_each_;
  return outcome;
}

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
  try {
    take_steps(count);
  } catch (const RankLost&) {
    if (reducer_ != nullptr) give_up_sums();
    throw;
  }
  sum_.fetch(count, stream_.get());
  wait(step_seconds_ * static_cast<double>(count));
  sum_is_zero_ = true;
  while (answers_ < count && sum_.verdict(answers_).taken) ++answers_;
  adam_.advance(answers_);
  seconds_each_ = answers_ > 1 ? (seconds_now() - begin) / static_cast<double>(answers_) : 0;
  if (seconds_each_ > 0) step_seconds_ = seconds_each_;
  if (answers_ == 0 || (answers_ < count && failed(sum_.verdict(answers_)))) ++answers_;
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
  const std::chrono::duration<double> sleep(0.75 * expected_seconds);
  if (sleep.count() > shortest_sleep) std::this_thread::sleep_for(sleep);
  try {
    while (reducer_ != nullptr && !cuda::is_done(stream_.get())) {
      reducer_->check();
      std::this_thread::yield();
    }
  } catch (const Error&) {
    give_up_sums();
  }
  cuda::wait(stream_.get());
}

/// After a sum that cannot be had: brings the stream to its end. In the handler of the exception.
/// The reducer waits for graphs that hold its sums, so these go first.
void DeviceReplica::give_up_sums() {
  failure_ = std::current_exception();
  for (auto& graphs : steps_) graphs.clear();
  reducer_->abort();
  cuda::wait(stream_.get());
}

Tally DeviceReplica::tally(std::uint64_t step) {
  DeviceTurn turn;
  turn.step.number = step;
  sum_.ask(turn, stream_.get());
  shards_.choose(sum_.step(), stream_.get());
  return evaluate(shards_.chosen(0), nullptr);
}

Tally DeviceReplica::evaluate(const Batch& batch, std::span<float> probabilities) {
  const cuda::DeviceMemory<float> found(probabilities.size());
  const Tally tally =
      evaluate(batch_.load(batch, stream_.get()), probabilities.empty() ? nullptr : found.data());
  cuda::copy_to_host<float>(found.data(), probabilities, stream_.get());
  cuda::wait(stream_.get());
  return tally;
}

Tally DeviceReplica::evaluate(const DevicePictures& pictures, float* probabilities) {
  DeviceTally found{};
  cuda::clear(evaluated_, stream_.get());
  network_.evaluate(adam_.state().parameters, pictures, probabilities, evaluated_.data(),
                    stream_.get());
  cuda::copy_to_host(evaluated_.data(), std::span(&found, 1), stream_.get());
  cuda::wait(stream_.get());
  return found.exact();
}

std::span<const float> DeviceReplica::parameters() const {
  if (parameters_.empty()) parameters_ = to_host(adam_.state().parameters);
  return parameters_;
}

TrainingState DeviceReplica::state() const {
  if (answered_ < answers_)
    throw std::logic_error("steps were taken whose outcomes nobody asked for");
  const AdamState own = adam_.state();
  return {step_, to_host(own.parameters), to_host(own.first_moment), to_host(own.second_moment)};
}

void DeviceReplica::restore(const TrainingState& state) {
  step_ = state.step;
  answers_ = answered_ = 0;
  const AdamState own = adam_.state();
  to_device(state.parameters, own.parameters);
  to_device(state.first_moment, own.first_moment);
  to_device(state.second_moment, own.second_moment);
  parameters_.clear();
}

/// Each part's seconds are what it adds to the steps of a graph that ends with it.
std::vector<PartSeconds> DeviceReplica::time_parts(std::size_t launches) {
  if (sums_on_host()) return {};
  std::vector<PartSeconds> result;
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
  cuda::Graph graph;
  const cuda::Event begin = cuda::make_event(), end = cuda::make_event();
  std::vector<double> seconds(launches);
  for (double& each : seconds) {
    sum_.clear(stream_.get());
    sum_.ask(turn(step_ + 1, {}, DeviceTurn::most_steps), stream_.get());
    cuda::record(begin, stream_.get());
    graph.launch(stream_.get(), [&] { enqueue_steps(DeviceTurn::most_steps, last); });
    cuda::record(end, stream_.get());
    wait(0);
    each = cuda::seconds_between(begin, end) / DeviceTurn::most_steps;
  }
  std::ranges::sort(seconds);
  return seconds[launches / 2];
}

std::vector<float> DeviceReplica::to_host(const float* block) const {
  std::vector<float> values(adam_.parameters());
  cuda::copy_to_host(block, std::span(values), stream_.get());
  cuda::wait(stream_.get());
  return values;
}

void DeviceReplica::to_device(const std::vector<float>& values, float* block) {
  cuda::copy_to_device(std::span(values), block, stream_.get());
  cuda::wait(stream_.get());
}

}  // namespace

std::unique_ptr<Replica> make_device_replica(const ModelShape& shape, float limit,
                                             std::span<const float> parameters,
                                             std::span<const LocalShard> shards,
                                             std::size_t batch_size, Communicator& communicator,
                                             DeviceReducer* reducer, const AdamConfig& adam,
                                             const Schedule& schedule) {
  return std::make_unique<DeviceReplica>(shape, limit, parameters, shards, batch_size, communicator,
                                         reducer, adam, schedule);
}

}  // namespace lockstep
