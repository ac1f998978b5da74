#include "device_replica.hpp"

#include <algorithm>
#include <exception>
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

constexpr std::size_t steps_in_a_graph = 8;

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

 private:
  bool sums_on_host() const noexcept { return reducer_ == nullptr && communicator_.size() > 1; }
  void launch(std::uint64_t step, const StepRequest& request);
  DeviceTurn turn(std::uint64_t step, const StepRequest& request, std::size_t count) const;
  void take_steps(std::size_t count);
  void enqueue_steps(std::size_t count);
  void enqueue_gradient();
  void enqueue_update();
  void sum_on_host();
  void wait();
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
  cuda::DeviceMemory<float> weights_;
  DeviceShards shards_;
  DeviceNetwork network_;
  DeviceSum sum_;
  DeviceAdam adam_;
  cuda::Graph one_step_;
  cuda::Graph some_steps_;
  cuda::Graph gradient_;  // where the host sums, what is before it and after it
  cuda::Graph update_;
  cuda::PinnedMemory<std::int64_t> host_sum_;
  bool sum_is_zero_ = true;
  std::size_t answers_ = 0;  // verdicts that are worth reading, and how many of them were read
  std::size_t answered_ = 0;
  double seconds_each_ = 0;  // of the steps that they are of
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
      weights_(parameters.size()),
      shards_(shards, stream_.get()),
      network_(shape, limit, shards_.blocks(), stream_.get()),
      sum_({parameters.size(), communicator.size(), communicator.rank(), shards_.samples(),
            batch_size},
           stream_.get()),
      adam_(adam, parameters.size()),
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
      sums_on_host() || request.until <= step
          ? 1
          : std::min<std::size_t>(request.until - step + 1, DeviceTurn::most_steps);
  const double begin = seconds_now();
  answers_ = answered_ = 0;
  parameters_.clear();
  if (!std::exchange(sum_is_zero_, false)) sum_.clear(stream_.get());
  sum_.ask(turn(step, request, count), stream_.get());
  take_steps(count);
  sum_.fetch(count, stream_.get());
  wait();
  while (answers_ < count && sum_.verdict(answers_).taken) ++answers_;
  sum_is_zero_ = answers_ == count;
  seconds_each_ = answers_ > 1 ? (seconds_now() - begin) / static_cast<double>(answers_) : 0;
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
  if (sums_on_host()) {
    gradient_.launch(stream_.get(), [&] { enqueue_gradient(); });
    sum_on_host();
    update_.launch(stream_.get(), [&] { enqueue_update(); });
  } else if (reducer_ == nullptr || reducer_->capturable()) {
    for (; count >= steps_in_a_graph; count -= steps_in_a_graph) {
      some_steps_.launch(stream_.get(), [&] { enqueue_steps(steps_in_a_graph); });
    }
    for (; count > 0; --count) one_step_.launch(stream_.get(), [&] { enqueue_steps(1); });
  } else {
    enqueue_steps(count);
  }
}

void DeviceReplica::enqueue_steps(std::size_t count) {
  for (; count > 0; --count) {
    enqueue_gradient();
    if (reducer_ != nullptr) reducer_->all_reduce(sum_.block(), sum_.size(), stream_.get());
    enqueue_update();
  }
}

void DeviceReplica::enqueue_gradient() {
  const DevicePictures chosen = shards_.choose(sum_.step(), stream_.get());
  network_.add_gradient(weights_.data(), chosen, sum_.block(), sum_.tally(), stream_.get());
  sum_.seal(weights_.data(), stream_.get());
}

void DeviceReplica::enqueue_update() {
  AdamTurn* turn = sum_.verify(stream_.get());
  adam_.step(weights_.data(), sum_.block(), turn, stream_.get());
}

void DeviceReplica::sum_on_host() {
  cuda::copy_to_host(sum_.block(), host_sum_.span(), stream_.get());
  cuda::wait(stream_.get());
  communicator_.all_reduce(host_sum_.span());
  cuda::copy_to_device(std::span<const std::int64_t>(host_sum_.span()), sum_.block(),
                       stream_.get());
}

/// A sum that can't be had is given up, so that the stream comes to its end; its graph goes first.
void DeviceReplica::wait() {
  try {
    while (reducer_ != nullptr && !cuda::is_done(stream_.get())) {
      reducer_->check();
      std::this_thread::yield();
    }
  } catch (const Error&) {
    failure_ = std::current_exception();
    one_step_.reset();
    some_steps_.reset();
    reducer_->abort();
  }
  cuda::wait(stream_.get());
}

Tally DeviceReplica::tally(std::uint64_t step) {
  DeviceTurn turn;
  turn.step.number = step;
  sum_.ask(turn, stream_.get());
  return evaluate(shards_.choose(sum_.step(), stream_.get()), nullptr);
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
  network_.evaluate(weights_.data(), pictures, probabilities, evaluated_.data(), stream_.get());
  cuda::copy_to_host(evaluated_.data(), std::span(&found, 1), stream_.get());
  cuda::wait(stream_.get());
  return found.exact();
}

std::span<const float> DeviceReplica::parameters() const {
  if (parameters_.empty()) parameters_ = to_host(weights_.data());
  return parameters_;
}

TrainingState DeviceReplica::state() const {
  if (answered_ < answers_)
    throw std::logic_error("steps were taken whose outcomes nobody asked for");
  return {step_, to_host(weights_.data()), to_host(adam_.first_moment()),
          to_host(adam_.second_moment())};
}

void DeviceReplica::restore(const TrainingState& state) {
  step_ = state.step;
  answers_ = answered_ = 0;
  to_device(state.parameters, weights_.data());
  to_device(state.first_moment, adam_.first_moment());
  to_device(state.second_moment, adam_.second_moment());
  parameters_.clear();
}

std::vector<float> DeviceReplica::to_host(const float* block) const {
  std::vector<float> values(weights_.size());
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
