#pragma once

#include "tuned_weights.cuh"

// Logits, probabilities and the derivatives by the logits.

namespace lockstep::network {

/// Leaves the logits in shared.logits, after a barrier: four threads for each class.
__device__ inline void add_head(const SampleTask& task, TunedShared& shared) {
  const unsigned c = threadIdx.x / parts, part = threadIdx.x % parts;
  const float* last =
      &shared.vector[(task.rows - 1) % 2 * Tuned::vector_stride] + part * Tuned::stride;
  float sum = part == 0 && c < task.classes ? shared.head_bias[c] : 0.0f;
  if (c < task.classes) {
    const float* head = &shared.head[part * Tuned::chain * task.classes + c];
#pragma unroll 16
    for (unsigned k = 0; k < Tuned::chain; ++k, head += task.classes) {
      sum = fused(last[k], *head, sum);
    }
  }
  sum = add_parts(sum);
  if (part == 0 && c < task.classes) shared.logits[c] = sum;
  __syncthreads();
}

/// What a warp finds from the logits, a lane for each class.
struct Softmax {
  float logit, largest;
  float e;    // exp(logit - largest), or 0 in a lane without a class
  float sum;  // of all e, in the order of the classes

  /// A lane without a class has the first one's logit, which changes nothing. A logit that is no
  /// number makes the sum none.
  __device__ Softmax(const TunedShared& shared, unsigned classes) {
    const unsigned c = threadIdx.x % 32;
    logit = shared.logits[c < classes ? c : 0];
    largest = logit;
#pragma unroll
    for (unsigned lanes = 16; lanes > 0; lanes /= 2) {
      const float other = __shfl_xor_sync(all_lanes, largest, static_cast<int>(lanes));
      largest = other > largest ? other : largest;
    }
    e = c < classes ? arithmetic::exp(logit - largest) : 0.0f;
    sum = 0.0f;
#pragma unroll 4
    for (unsigned i = 0; i < classes; ++i) {
      sum = sum + __shfl_sync(all_lanes, e, static_cast<int>(i));
    }
  }
};

/// Probabilities and the derivatives by the logits. For one warp.
template <bool train>
__device__ void differentiate(const SampleWork& work, TunedShared& shared) {
  const SampleTask& task = work.task;
  const Softmax softmax(shared, task.classes);
  const unsigned c = threadIdx.x % 32;
  if (c >= task.classes) return;
  const float p = divide(softmax.e, softmax.sum);
  const float d = c == work.label ? p - 1.0f : p;
  const std::size_t i = std::size_t{work.sample} * task.classes + c;
  if (task.probabilities != nullptr) task.probabilities[i] = p;
  if (train) task.d[i] = shared.derivatives[c] = d;
}

/// For one warp.
__device__ inline void add_to_tally(const SampleWork& work, const TunedShared& shared) {
  const SampleTask& task = work.task;
  const Softmax softmax(shared, task.classes);
  if (threadIdx.x % 32 > 0) return;
  const float loss = arithmetic::log(softmax.sum) - (shared.logits[work.label] - softmax.largest);
  const bool right = arithmetic::first_largest(shared.logits, task.classes) == work.label;
  const Tally own = sample_tally(loss, right);
  atomicAdd(&task.tally->loss, static_cast<unsigned long long>(own.loss));
  atomicAdd(&task.tally->correct, static_cast<unsigned long long>(own.correct));
  if (own.invalid != 0) atomicOr(&task.tally->invalid, own.invalid);
}

}  // namespace lockstep::network
