#include "device_sum.cuh"

#include <core/device_clock.cuh>
#include <lockstep/core/fixed_point.hpp>

namespace lockstep {
namespace {

constexpr unsigned sum_threads = 256;
constexpr unsigned warp = 32;
constexpr unsigned all_lanes = 0xffffffffu;
constexpr unsigned values_per_thread = 2;

/// A verdict's numbers, before the tail.
enum VerdictSlot : std::size_t { taken_slot, fault_slot, compute_slot, reduce_slot, verdict_size };

struct SumTask {
  DeviceSum::Sizes sizes;
  std::int64_t* block;
  DeviceTally* tally;
  GridTotals* totals;
  DeviceTurn* turn;
};

/// Adds two values of every thread to the totals. Returns true for one thread of the grid, when all
/// have come.
__device__ bool add_up(unsigned long long checksum, unsigned long long fingerprint,
                       GridTotals* totals) {
  __shared__ unsigned long long of_warps[sum_threads / warp][2];
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
  if (threadIdx.x > 0) return false;
  for (unsigned i = 1; i < sum_threads / warp; ++i) {
    checksum += of_warps[i][0];
    fingerprint += of_warps[i][1];
  }
  atomicAdd(&totals->checksum, checksum);
  atomicAdd(&totals->fingerprint, fingerprint);
  __threadfence();
  return atomicAdd(&totals->arrived, 1u) == gridDim.x - 1;
}

/// What the totals came to; they are zero afterwards. For the thread to which add_up said true.
__device__ GridTotals take(GridTotals* totals) {
  __threadfence();
  return {atomicExch(&totals->checksum, 0ull), atomicExch(&totals->fingerprint, 0ull),
          atomicExch(&totals->arrived, 0u)};
}

__global__ void __launch_bounds__(sum_threads) seal_sum(SumTask task, const float* weights) {
  unsigned long long checksum = 0, fingerprint = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < task.sizes.parameters;
       i += gridDim.x * blockDim.x) {
    checksum += static_cast<unsigned long long>(task.block[i]);
    fingerprint += fingerprint_term(weights[i], i);
  }
  if (!add_up(checksum, fingerprint, task.totals)) return;
  const GridTotals totals = take(task.totals);
  DeviceTurn& turn = *task.turn;
  const TailPart own{task.tally->exact(), task.sizes.own_samples, task.sizes.rank, turn.report,
                     totals.fingerprint};
  std::int64_t* tail = task.block + task.sizes.parameters;
  unsigned long long sum = totals.checksum;
  const std::size_t last = tail_size(task.sizes.world_size) - 1;
  for (std::size_t slot = 0; slot < last; ++slot) {
    tail[slot] = own[slot];
    sum += static_cast<unsigned long long>(own[slot]);
  }
  tail[last] = static_cast<std::int64_t>(sum);
  *task.tally = {};
  turn.fingerprint = totals.fingerprint;
  turn.sealed = cuda::nanoseconds();
}

/// Writes the verdict of the step that is over, tells Adam, and goes on to the next step.
__device__ void decide(const SumTask& task, std::int64_t checksum, std::int64_t* verdicts,
                       AdamTurn* adam) {
  DeviceTurn& turn = *task.turn;
  const std::int64_t* tail = task.block + task.sizes.parameters;
  const std::size_t tail_length = tail_size(task.sizes.world_size);
  const SumFault fault = turn.halted != 0 ? SumFault::none
                                          : find_fault(tail, task.sizes.world_size, checksum,
                                                       task.sizes.batch_size, turn.fingerprint);
  const bool taken = turn.halted == 0 && fault == SumFault::none;
  turn.report.compute = turn.sealed - turn.step.begin;
  turn.report.reduce = cuda::nanoseconds() - turn.sealed;
  std::int64_t* verdict = verdicts + turn.done * (verdict_size + tail_length);
  verdict[taken_slot] = taken;
  verdict[fault_slot] = static_cast<std::int64_t>(fault);
  verdict[compute_slot] = turn.report.compute;
  verdict[reduce_slot] = turn.report.reduce;
  for (std::size_t slot = 0; slot < tail_length; ++slot) verdict[verdict_size + slot] = tail[slot];
  *adam = {fixed_point_unit / static_cast<double>(task.sizes.batch_size), turn.rates[turn.done],
           taken};
  ++turn.done;
  turn.step.number += taken;
  if (!taken || tail[stop_slot] != 0 || tail[failure_slot] != 0) turn.halted = 1;
}

__global__ void __launch_bounds__(sum_threads)
    verify_sum(SumTask task, std::int64_t* verdicts, AdamTurn* adam) {
  const std::size_t size = task.sizes.parameters + tail_size(task.sizes.world_size) - 1;
  unsigned long long checksum = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
    checksum += static_cast<unsigned long long>(task.block[i]);
  }
  if (!add_up(checksum, 0, task.totals)) return;
  decide(task, static_cast<std::int64_t>(take(task.totals).checksum), verdicts, adam);
}

SumTask task_of(const DeviceSum::Sizes& sizes, const DeviceSum& sum, GridTotals* totals,
                DeviceTurn* turn) {
  return {sizes, sum.block(), sum.tally(), totals, turn};
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
      adam_turn_(1),
      verdicts_(DeviceTurn::most_steps * (verdict_size + tail_size())),
      asked_(1),
      fetched_(verdicts_.size()) {
  cuda::clear(totals_, stream);
  clear(stream);
}

void DeviceSum::clear(cudaStream_t stream) {
  cuda::clear(block_, stream);
  cuda::clear(tally_, stream);
}

void DeviceSum::ask(const DeviceTurn& turn, cudaStream_t stream) {
  asked_.span().front() = turn;
  cuda::copy_to_device(std::span<const DeviceTurn>(asked_.span()), turn_.data(), stream);
}

void DeviceSum::seal(const float* weights, cudaStream_t stream) {
  cuda::launch(stream, blocks_for(sizes_.parameters), sum_threads, seal_sum,
               task_of(sizes_, *this, totals_.data(), turn_.data()), weights);
}

void DeviceSum::verify(cudaStream_t stream) {
  cuda::launch(stream, blocks_for(size()), sum_threads, verify_sum,
               task_of(sizes_, *this, totals_.data(), turn_.data()), verdicts_.data(),
               adam_turn_.data());
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
