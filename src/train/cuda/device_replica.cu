#include "device_replica.cuh"

#include <stdexcept>

namespace lockstep {

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
