#include "device_sum.cuh"

#include <core/device_clock.cuh>
#include <lockstep/core/fixed_point.hpp>

namespace lockstep {

struct SumTask {
  DeviceSum::Sizes sizes;
  std::int64_t* block;
  DeviceTally* tally;
  GridTotals* totals;
  DeviceTurn* turn;
  std::int64_t* verdicts;

  __device__ std::int64_t* tail() const { return block + sizes.parameters; }
  __device__ std::size_t tail_length() const { return tail_size(sizes.world_size); }
  __device__ std::int64_t* verdict(unsigned index) const;
  /// Whether the steps before step `index` of a launch let it be taken.
  __device__ bool may_take(unsigned index) const;
  __device__ TailPart own_part(unsigned long long fingerprint) const {
    return {tally->exact(), sizes.own_samples, sizes.rank, turn->report, fingerprint};
  }
};

namespace {

constexpr unsigned sum_threads = 256;
constexpr unsigned warp = 32;
constexpr unsigned all_lanes = 0xffffffffu;
constexpr unsigned values_per_thread = 2;

/// A verdict's numbers, before the tail. goes_on_slot: whether the step after it may be taken.
enum VerdictSlot : std::size_t {
  taken_slot,
  goes_on_slot,
  fault_slot,
  compute_slot,
  reduce_slot,
  verdict_size
};

}  // namespace

__device__ std::int64_t* SumTask::verdict(unsigned index) const {
  return verdicts + index * (verdict_size + tail_length());
}

__device__ bool SumTask::may_take(unsigned index) const {
  return index == 0 || verdict(index - 1)[goes_on_slot] != 0;
}

namespace {

/// Adds two values of every thread to the totals. Returns true for the threads of one block of
/// `blocks`, when all have come.
__device__ bool add_up(unsigned long long checksum, unsigned long long fingerprint,
                       GridTotals* totals, unsigned blocks) {
  __shared__ unsigned long long of_warps[sum_threads / warp][2];
  __shared__ bool is_last;
#pragma unroll
  for (unsigned lanes = warp / 2; lanes > 0; lanes /= 2) {
    checksum += __shfl_xor_sync(all_lanes, checksum, static_cast<int>(lanes));
    fingerprint += __shfl_xor_sync(all_lanes, fingerprint, static_cast<int>(lanes));
  }
  if (threadIdx.x % warp == 0) {
    of_warps[threadIdx.x / warp][0] = checksum;
    of_warps[threadIdx.x / warp][1] = fingerprint;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned i = 1; i < sum_threads / warp; ++i) {
      checksum += of_warps[i][0];
      fingerprint += of_warps[i][1];
    }
    atomicAdd(&totals->checksum, checksum);
    atomicAdd(&totals->fingerprint, fingerprint);
    __threadfence();
    is_last = atomicAdd(&totals->arrived, 1u) == blocks - 1;
    __threadfence();
  }
  __syncthreads();
  return is_last;
}

/// What the totals came to; they are zero afterwards. For one thread of the block to which add_up
/// said true.
__device__ GridTotals take(GridTotals* totals) {
  return {atomicExch(&totals->sealed, 0ull), atomicExch(&totals->checksum, 0ull),
          atomicExch(&totals->fingerprint, 0ull), atomicExch(&totals->arrived, 0u)};
}

__global__ void __launch_bounds__(sum_threads) seal_sum(SumTask task, const float* weights) {
  unsigned long long fingerprint = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < task.sizes.parameters;
       i += gridDim.x * blockDim.x) {
    fingerprint += fingerprint_term(weights[i], i);
  }
  if (!add_up(0, fingerprint, task.totals, gridDim.x) || threadIdx.x > 0) return;
  const GridTotals totals = take(task.totals);
  const TailPart own = task.own_part(totals.fingerprint);
  unsigned long long sum = totals.sealed;
  const std::size_t last = task.tail_length() - 1;
  for (std::size_t slot = 0; slot < last; ++slot) {
    task.tail()[slot] = own[slot];
    sum += static_cast<unsigned long long>(own[slot]);
  }
  task.tail()[last] = static_cast<std::int64_t>(sum);
  *task.tally = {};
  task.turn->fingerprint = totals.fingerprint;
  task.turn->sealed = cuda::nanoseconds();
}

/// Completes step `index`'s verdict; `tail` is there up to reports_slot. For one thread.
__device__ void decide(const SumTask& task, unsigned index, const std::int64_t* tail,
                       const SumCheck& check) {
  DeviceTurn& turn = *task.turn;
  const bool may_take = task.may_take(index);
  const SumFault fault = may_take ? find_fault(tail, check) : SumFault::none;
  const bool taken = may_take && fault == SumFault::none;
  const long long now = cuda::nanoseconds();
  const long long sealed = turn.sealed > turn.step.begin ? turn.sealed : now;
  turn.report.compute = sealed - turn.step.begin;
  turn.report.reduce = now - sealed;
  turn.step.begin = now;
  std::int64_t* verdict = task.verdict(index);
  verdict[taken_slot] = taken;
  verdict[goes_on_slot] = taken && tail[stop_slot] == 0 && tail[failure_slot] == 0;
  verdict[fault_slot] = static_cast<std::int64_t>(fault);
  verdict[compute_slot] = turn.report.compute;
  verdict[reduce_slot] = turn.report.reduce;
}

/// What the threads of the last block share.
struct FinishShared {
  GridTotals totals;
  std::int64_t tail[reports_slot];
};

/// For the last block: brings the tail to step `index`'s verdict, and what decide() reads of it to
/// shared memory, since loads of one thread would come one after another.
template <bool alone>
__device__ void conclude(const SumTask& task, unsigned index, FinishShared& shared) {
  auto& [totals, tail] = shared;
  if (threadIdx.x == 0) totals = take(task.totals);
  __syncthreads();
  const std::size_t length = task.tail_length();
  std::int64_t* verdict = task.verdict(index);
  const TailPart own = alone ? task.own_part(totals.fingerprint) : TailPart{};
  for (std::size_t slot = threadIdx.x; slot < length; slot += blockDim.x) {
    const std::int64_t value = alone ? own[slot] : task.tail()[slot];
    verdict[verdict_size + slot] = value;
    if (slot < reports_slot) tail[slot] = value;
  }
  __syncthreads();
  if (threadIdx.x > 0) return;
  const SumCheck check{alone ? static_cast<std::int64_t>(totals.sealed) : task.tail()[length - 1],
                       static_cast<std::int64_t>(totals.checksum), task.sizes.batch_size,
                       task.sizes.world_size, alone ? totals.fingerprint : task.turn->fingerprint};
  decide(task, index, tail, check);
  if (alone) *task.tally = {};
}

/// The last block of the grid chooses the next step's samples, the others have the sum.
template <bool alone>
__device__ void finish(const SumTask& task, unsigned index, const AdamStep& adam,
                       const SampleChoice& next, FinishShared& shared) {
  const unsigned blocks = gridDim.x - 1;
  if (blockIdx.x == blocks) {
    const std::uint64_t step = *next.next;
    __syncthreads();
    if (threadIdx.x == 0) *next.next = step + 1;
    next.choose(step);
    return;
  }
  const float rate = task.turn->rates[index];
  // A step after one that does not go on must leave the state before that one, which it would
  // write.
  const bool may_take = task.may_take(index);
  const std::size_t size = task.sizes.parameters + (alone ? 0 : task.tail_length() - 1);
  unsigned long long checksum = 0, fingerprint = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += blocks * blockDim.x) {
    const std::int64_t value = task.block[i];
    checksum += static_cast<unsigned long long>(value);
    if (i >= task.sizes.parameters) continue;
    if (alone) fingerprint += fingerprint_term(adam.before.parameters[i], i);
    if (may_take) adam(i, value, rate);
    task.block[i] = 0;
  }
  if (add_up(checksum, fingerprint, task.totals, blocks)) conclude<alone>(task, index, shared);
}

__global__ void __launch_bounds__(sum_threads)
    finish_step(SumTask task, unsigned index, AdamStep adam, SampleChoice next) {
  __shared__ FinishShared shared;
  finish<false>(task, index, adam, next, shared);
}

__global__ void __launch_bounds__(sum_threads)
    finish_step_alone(SumTask task, unsigned index, AdamStep adam, SampleChoice next) {
  __shared__ FinishShared shared;
  finish<true>(task, index, adam, next, shared);
}

unsigned blocks_for(std::size_t values) {
  return cuda::blocks_for(values, sum_threads * values_per_thread);
}

}  // namespace

DeviceSum::DeviceSum(const Sizes& sizes, cudaStream_t stream)
    : sizes_(sizes),
      block_(sizes.parameters + tail_size()),
      tally_(1),
      totals_(1),
      turn_(1),
      verdicts_(DeviceTurn::most_steps * (verdict_size + tail_size())),
      asked_(1),
      fetched_(verdicts_.size()) {
  clear(stream);
}

void DeviceSum::clear(cudaStream_t stream) {
  cuda::clear(block_, stream);
  cuda::clear(tally_, stream);
  cuda::clear(totals_, stream);
}

void DeviceSum::ask(const DeviceTurn& turn, cudaStream_t stream) {
  asked_.span().front() = turn;
  cuda::copy_to_device(std::span<const DeviceTurn>(asked_.span()), turn_.data(), stream);
}

void DeviceSum::seal(const float* weights, cudaStream_t stream) {
  cuda::launch(stream, blocks_for(sizes_.parameters), sum_threads, seal_sum, task(), weights);
}

void DeviceSum::finish(std::size_t index, const AdamStep& adam, const SampleChoice& next,
                       cudaStream_t stream) {
  cuda::launch(stream, blocks_for(size()) + 1, sum_threads,
               sizes_.alone ? finish_step_alone : finish_step, task(), static_cast<unsigned>(index),
               adam, next);
}

SumTask DeviceSum::task() const noexcept {
  return {sizes_, block(), tally(), totals_.data(), turn_.data(), verdicts_.data()};
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
