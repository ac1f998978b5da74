#include "device_sum.cuh"

#include <core/device_clock.cuh>
#include <core/kernel_order.cuh>

namespace lockstep {
namespace {

constexpr unsigned sum_threads = 256;
constexpr unsigned warp = 32;
constexpr unsigned warps = sum_threads / warp;
constexpr unsigned all_lanes = 0xffffffffu;

/// A verdict's numbers, before the tail.
enum VerdictSlot : std::size_t {
  taken_slot,
  goes_on_slot,  // whether the step after it may be taken
  fault_slot,
  compute_slot,
  reduce_slot,
  end_slot,  // cuda::nanoseconds()
  verdict_size
};

unsigned blocks_for(std::size_t values) {
  return cuda::blocks_for(values, sum_threads);
}

}  // namespace

/// Step `index` of those that were asked for.
struct SumTask {
  DeviceSum::Sizes sizes;
  unsigned index;
  unsigned blocks;  // of finish() that have a part of the sum
  std::int64_t* block;
  DeviceTally* tally;
  unsigned long long* checksum;
  SealedStep* sealed;
  SumParts* parts;
  const DeviceTurn* turn;
  std::int64_t* verdicts;

  __device__ std::int64_t* tail() const { return block + sizes.parameters; }
  __device__ std::size_t tail_length() const { return tail_size(sizes.world_size); }
  __device__ std::int64_t* verdict() const {
    return verdicts + index * (verdict_size + tail_length());
  }
  /// Of the step before; not for the first.
  __device__ const std::int64_t* verdict_before() const {
    return verdict() - (verdict_size + tail_length());
  }
  __device__ bool may_take() const { return index == 0 || verdict_before()[goes_on_slot] != 0; }
  __device__ long long begin() const {
    return index == 0 ? turn->step.begin : verdict_before()[end_slot];
  }
  /// This rank's part of the tail.
  __device__ TailPart own_part(const Tally& own, unsigned long long fingerprint) const {
    ReportNumbers report = turn->report;
    if (index > 0) {
      report.compute = verdict_before()[compute_slot];
      report.reduce = verdict_before()[reduce_slot];
    }
    return {own, sizes.own_samples, sizes.rank, report, fingerprint};
  }
};

namespace {

/// The sum of a warp's parts, in all its lanes.
__device__ SumParts add_lanes(SumParts own) {
#pragma unroll
  for (unsigned lanes = warp / 2; lanes > 0; lanes /= 2) {
    own.checksum += __shfl_xor_sync(all_lanes, own.checksum, static_cast<int>(lanes));
    own.fingerprint += __shfl_xor_sync(all_lanes, own.fingerprint, static_cast<int>(lanes));
  }
  return own;
}

/// Leaves what the warps of the grid have found to a later kernel.
__device__ void leave_parts(const SumTask& task, const SumParts& own) {
  const SumParts of_warp = add_lanes(own);
  if (threadIdx.x % warp != 0) return;
  task.parts[blockIdx.x * warps + threadIdx.x / warp] = of_warp;
}

/// What the warps of another kernel's grid have left, for thread 0 of a grid of one block.
__device__ SumParts add_parts(const SumTask& task) {
  __shared__ SumParts of_warps[warps];
  SumParts own{};
  for (unsigned i = threadIdx.x; i < task.blocks * warps; i += blockDim.x) {
    own.checksum += task.parts[i].checksum;
    own.fingerprint += task.parts[i].fingerprint;
  }
  own = add_lanes(own);
  if (threadIdx.x % warp == 0) of_warps[threadIdx.x / warp] = own;
  __syncthreads();
  for (unsigned i = 1; threadIdx.x == 0 && i < warps; ++i) {
    own.checksum += of_warps[i].checksum;
    own.fingerprint += of_warps[i].fingerprint;
  }
  return own;
}

/// Moves what the next step's kernels add to out of their way. For one thread of the grid.
__device__ SealedStep take_own_part(const SumTask& task) {
  const SealedStep own{*task.tally, *task.checksum, 0, cuda::nanoseconds()};
  *task.tally = {};
  *task.checksum = 0;
  return own;
}

__global__ void __launch_bounds__(sum_threads)
    add_fingerprints(SumTask task, const float* weights) {
  SumParts own{};
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < task.sizes.parameters;
       i += gridDim.x * blockDim.x) {
    own.fingerprint += fingerprint_term(weights[i], i);
  }
  leave_parts(task, own);
}

__global__ void __launch_bounds__(sum_threads) seal_sum(SumTask task) {
  const SumParts total = add_parts(task);
  if (threadIdx.x > 0) return;
  SealedStep sealed = take_own_part(task);
  sealed.fingerprint = total.fingerprint;
  *task.sealed = sealed;
  const TailPart own = task.own_part(sealed.tally.exact(), sealed.fingerprint);
  const std::size_t last = task.tail_length() - 1;
  unsigned long long sum = sealed.checksum;
  for (std::size_t slot = 0; slot < last; ++slot) {
    task.tail()[slot] = own[slot];
    sum += static_cast<unsigned long long>(own[slot]);
  }
  task.tail()[last] = static_cast<std::int64_t>(sum);
}

__global__ void __launch_bounds__(sum_threads) finish_step(SumTask task, AdamStep adam) {
  cuda::let_next_kernel_begin();
  const float rate = task.turn->rates[task.index];
  // A step after one that does not go on must leave the state before that one, which it would
  // write.
  const bool may_take = task.may_take();
  const bool alone = task.sizes.alone;
  const std::size_t size = task.sizes.parameters + (alone ? 0 : task.tail_length() - 1);
  SumParts own{};
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < size;
       i += task.blocks * blockDim.x) {
    const std::int64_t value = task.block[i];
    own.checksum += static_cast<unsigned long long>(value);
    if (i >= task.sizes.parameters) continue;
    if (alone) own.fingerprint += fingerprint_term(adam.before.parameters[i], i);
    if (may_take) adam(i, value, rate);
    task.block[i] = 0;
  }
  leave_parts(task, own);
  if (alone && blockIdx.x == 0 && threadIdx.x == 0) *task.sealed = take_own_part(task);
}

/// Writes the verdict but for the tail, which is there up to reports_slot. For one thread.
__device__ void decide(const SumTask& task, const std::int64_t* tail, const SumCheck& check) {
  const bool may_take = task.may_take();
  const SumFault fault = may_take ? find_fault(tail, check) : SumFault::none;
  const bool taken = may_take && fault == SumFault::none;
  const long long now = cuda::nanoseconds(), sealed = task.sealed->when;
  std::int64_t* verdict = task.verdict();
  verdict[taken_slot] = taken;
  verdict[goes_on_slot] = taken && tail[stop_slot] == 0 && tail[failure_slot] == 0;
  verdict[fault_slot] = static_cast<std::int64_t>(fault);
  verdict[compute_slot] = sealed - task.begin();
  verdict[reduce_slot] = now - sealed;
  verdict[end_slot] = now;
}

/// For one block, whose threads share the tail: one thread's loads would come one after another.
__device__ void conclude(const SumTask& task) {
  __shared__ SumParts total;
  __shared__ std::int64_t tail[reports_slot];
  const bool alone = task.sizes.alone;
  const SumParts found = add_parts(task);
  if (threadIdx.x == 0) total = found;
  __syncthreads();
  const std::size_t length = task.tail_length();
  const TailPart own = task.own_part(task.sealed->tally.exact(), total.fingerprint);
  for (std::size_t slot = threadIdx.x; slot < length; slot += blockDim.x) {
    const std::int64_t value = alone ? own[slot] : task.tail()[slot];
    task.verdict()[verdict_size + slot] = value;
    if (slot < reports_slot) tail[slot] = value;
  }
  __syncthreads();
  if (threadIdx.x > 0) return;
  const std::int64_t sealed =
      alone ? static_cast<std::int64_t>(task.sealed->checksum) : task.tail()[length - 1];
  decide(task, tail,
         {sealed, static_cast<std::int64_t>(total.checksum), task.sizes.batch_size,
          task.sizes.world_size, alone ? total.fingerprint : task.sealed->fingerprint});
}

/// Two blocks: what is not waited for by the next step.
__global__ void __launch_bounds__(sum_threads)
    conclude_step(SumTask task, SampleChoice after_next) {
  if (blockIdx.x == 0) {
    conclude(task);
  } else {
    after_next.choose(task.turn->step.number + task.index + 2);
  }
}

}  // namespace

DeviceSum::DeviceSum(const Sizes& sizes, cudaStream_t stream)
    : sizes_(sizes),
      block_(sizes.parameters + tail_size()),
      parts_(blocks_for(block_.size()) * warps),
      verdicts_(DeviceTurn::most_steps * (verdict_size + tail_size())),
      fetched_(verdicts_.size()) {
  clear(stream);
}

void DeviceSum::clear(cudaStream_t stream) {
  cuda::clear(block_, stream);
  cuda::clear(tally_, stream);
  cuda::clear(checksum_, stream);
}

void DeviceSum::ask(const DeviceTurn& turn, cudaStream_t stream) {
  asked_.span().front() = turn;
  cuda::copy_to_device(std::span<const DeviceTurn>(asked_.span()), turn_.data(), stream);
}

void DeviceSum::seal(std::size_t index, const float* weights, cudaStream_t stream) {
  const SumTask own = task(index);
  cuda::launch(stream, own.blocks, sum_threads, add_fingerprints, own, weights);
  cuda::launch(stream, 1, sum_threads, seal_sum, own);
}

void DeviceSum::finish(std::size_t index, const AdamStep& adam, cudaStream_t stream) {
  const SumTask own = task(index);
  cuda::launch(stream, own.blocks, sum_threads, finish_step, own, adam);
}

void DeviceSum::conclude(std::size_t index, const SampleChoice& after_next, cudaStream_t stream) {
  cuda::launch(stream, 2, sum_threads, conclude_step, task(index), after_next);
}

SumTask DeviceSum::task(std::size_t index) const noexcept {
  return {sizes_,
          static_cast<unsigned>(index),
          static_cast<unsigned>(parts_.size() / warps),
          block_.data(),
          tally_.data(),
          checksum_.data(),
          sealed_.data(),
          parts_.data(),
          turn_.data(),
          verdicts_.data()};
}

void DeviceSum::fetch(std::size_t count, cudaStream_t stream) {
  const std::size_t n = count * (verdict_size + tail_size());
  cuda::copy_to_host(verdicts_.data(), fetched_.span().first(n), stream);
}

StepVerdict DeviceSum::verdict(std::size_t i) const noexcept {
  const std::size_t n = verdict_size + tail_size();
  const std::span<const std::int64_t> own = fetched_.span().subspan(i * n, n);
  return {own[taken_slot] != 0,
          static_cast<SumFault>(own[fault_slot]),
          {0, 0, own[compute_slot], own[reduce_slot]},
          own.subspan(verdict_size)};
}

}  // namespace lockstep
