#pragma once

#include <array>
#include <exception>
#include <map>
#include <vector>

#include <core/cuda.cuh>
#include <model/device_network.cuh>
#include <optim/device_adam.cuh>

#include "device_batch.cuh"
#include "device_replica.hpp"
#include "device_shards.cuh"
#include "device_sum.cuh"

namespace lockstep {

/// What a step enqueues, in this order.
enum class Part { samples, gradient, seal, reduce, clip, finish, conclude };

/// The replica; how it takes steps is in device_steps.cu.
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
  template <typename Work>
  void give_up_sums_if_lost(const Work& work);
  double fastest_step() const;
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
  cuda::Graph timed_;  // of time_parts()
  cuda::PinnedMemory<std::int64_t> host_sum_;
  bool sum_is_zero_ = true;
  std::size_t answers_ = 0;  // verdicts that are worth reading, and how many of them were read
  std::size_t answered_ = 0;
  double seconds_each_ = 0;  // of the steps that they are of
  double step_seconds_ = 0;  // what a step will take at least; 0: not known yet
  ReportNumbers last_step_;
  std::exception_ptr failure_;  // of the reducer: no further step can be taken
  DeviceBatch batch_;
  cuda::DeviceMemory<DeviceTally> evaluated_{1};
  mutable std::vector<float> parameters_;  // a copy, where it is not empty
};

}  // namespace lockstep
