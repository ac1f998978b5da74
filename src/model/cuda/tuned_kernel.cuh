#pragma once

#include "sample_kernel.cuh"

// What sample_kernel.cuh computes, for 128 units, rows of 28 pixels and up to 32 classes: a thread
// keeps its weights in registers. A multiprocessor's shared memory gives a warp 128 bytes a cycle,
// broadcast or not, so a thread uses each value that it reads for the chains of four units.

namespace lockstep::network {

struct Tuned {
  static constexpr unsigned units = 128, columns = 28;
  static constexpr unsigned most_rows = 28, most_classes = 32;
  static constexpr unsigned threads = units;
  static constexpr unsigned each = 4;               // units whose chains a thread walks
  static constexpr unsigned chain = units / parts;  // terms of a chain
  static constexpr unsigned stride = chain + 4;     // between chains' terms: four banks apart
  static constexpr unsigned rows_each = 7;          // rows of the picture for a warp

  /// Where term k of a vector lies in shared memory.
  static __device__ unsigned place(unsigned k) { return k / chain * stride + k % chain; }
};

/// What the threads of a block share.
struct TunedShared {
  alignas(16) float vector[2][parts * Tuned::stride];  // a row's states, or dz; the next one's
  /// Row t + 1: the input's part of row t's sums. Row t: afterwards the states after row t.
  alignas(16) float row[Tuned::most_rows + 1][Tuned::units];
  alignas(16) float x[Tuned::most_rows][Tuned::columns];
  alignas(16) float head[Tuned::units * Tuned::most_classes];
  float head_bias[Tuned::most_classes];
  float logits[Tuned::most_classes];
  float values[Tuned::most_classes];       // exp(logit - largest)
  float derivatives[Tuned::most_classes];  // by the logits
};

/// The recurrent weights of a thread, for one direction: of part `part` of the chains of the units
/// from `unit` on.
struct Chains {
  float weights[Tuned::each][Tuned::chain];
  unsigned unit = threadIdx.x / parts * Tuned::each;
  unsigned part = threadIdx.x % parts;

  /// Term k of unit j is weight [k][j].
  __device__ void load_onward(const float* recurrent) {
#pragma unroll
    for (unsigned k = 0; k < Tuned::chain; ++k) {
      const float4 w = *reinterpret_cast<const float4*>(
          recurrent + (part * Tuned::chain + k) * Tuned::units + unit);
      weights[0][k] = w.x;
      weights[1][k] = w.y;
      weights[2][k] = w.z;
      weights[3][k] = w.w;
    }
  }

  /// Term k of unit j is weight [j][k].
  __device__ void load_back(const float* recurrent) {
#pragma unroll
    for (unsigned u = 0; u < Tuned::each; ++u) {
      const auto* from = reinterpret_cast<const float4*>(recurrent + (unit + u) * Tuned::units +
                                                         part * Tuned::chain);
#pragma unroll
      for (unsigned k = 0; k < Tuned::chain; k += 4) {
        const float4 w = from[k / 4];
        weights[u][k] = w.x;
        weights[u][k + 1] = w.y;
        weights[u][k + 2] = w.z;
        weights[u][k + 3] = w.w;
      }
    }
  }

  /// The product for unit threadIdx.x; `start` are those of the thread's four units.
  __device__ __forceinline__ float product(const float* vector, float4 start) const {
    const auto* terms = reinterpret_cast<const float4*>(vector + part * Tuned::stride);
    float sums[Tuned::each] = {0.0f, 0.0f, 0.0f, 0.0f};
    if (part == 0) {
      sums[0] = start.x;
      sums[1] = start.y;
      sums[2] = start.z;
      sums[3] = start.w;
    }
#pragma unroll
    for (unsigned k = 0; k < Tuned::chain; k += 4) {
      const float4 v = terms[k / 4];
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.x, weights[u][k], sums[u]);
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.y, weights[u][k + 1], sums[u]);
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.z, weights[u][k + 2], sums[u]);
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.w, weights[u][k + 3], sums[u]);
    }
    return add_chains(sums);
  }

 private:
  /// Four neighbouring threads have four chains of the same four units: each gets the sum of the
  /// unit of its part, (c0 + c1) + (c2 + c3).
  __device__ __forceinline__ float add_chains(const float (&sums)[Tuned::each]) const {
    const bool odd = (part & 1) != 0, upper = (part & 2) != 0;
    const float low = __shfl_xor_sync(all_lanes, odd ? sums[0] : sums[1], 1);
    const float high = __shfl_xor_sync(all_lanes, odd ? sums[2] : sums[3], 1);
    const float low_pair = (odd ? sums[1] : sums[0]) + low;
    const float high_pair = (odd ? sums[3] : sums[2]) + high;
    const float other = __shfl_xor_sync(all_lanes, upper ? low_pair : high_pair, 2);
    return (upper ? high_pair : low_pair) + other;
  }
};

/// The pixels as the network reads them.
template <bool train>
__device__ void read_picture(const SampleWork& work, TunedShared& shared) {
  const auto* words = reinterpret_cast<const std::uint32_t*>(work.pixels);
  for (unsigned i = threadIdx.x; i < work.task.rows * Tuned::columns / 4; i += Tuned::threads) {
    const std::uint32_t word = words[i];
    const float4 x{arithmetic::pixel(static_cast<std::uint8_t>(word)),
                   arithmetic::pixel(static_cast<std::uint8_t>(word >> 8)),
                   arithmetic::pixel(static_cast<std::uint8_t>(word >> 16)),
                   arithmetic::pixel(static_cast<std::uint8_t>(word >> 24))};
    const unsigned t = i / (Tuned::columns / 4), column = i % (Tuned::columns / 4) * 4;
    *reinterpret_cast<float4*>(&shared.x[t][column]) = x;
    if (train) *reinterpret_cast<float4*>(work.task.input_row(work.sample, t) + column) = x;
  }
}

/// row[t + 1][j] = the chain of x_t over K's input rows, from the bias: a thread's four units, for
/// the rows of its warp.
__device__ inline void add_inputs(const SampleTask& task, TunedShared& shared) {
  const unsigned unit = threadIdx.x % 32 * Tuned::each;
  const unsigned first = threadIdx.x / 32 * Tuned::rows_each;
  const float4 bias = *reinterpret_cast<const float4*>(task.bias() + unit);
  float4 sums[Tuned::rows_each];
#pragma unroll
  for (float4& sum : sums) sum = bias;
#pragma unroll
  for (unsigned k = 0; k < Tuned::columns; k += 4) {
    float4 weights[4];
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      weights[i] =
          *reinterpret_cast<const float4*>(task.parameters + (k + i) * Tuned::units + unit);
    }
#pragma unroll
    for (unsigned r = 0; r < Tuned::rows_each; ++r) {
      const float4 x = *reinterpret_cast<const float4*>(&shared.x[first + r][k]);
      const float terms[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        sums[r].x = fused(terms[i], weights[i].x, sums[r].x);
        sums[r].y = fused(terms[i], weights[i].y, sums[r].y);
        sums[r].z = fused(terms[i], weights[i].z, sums[r].z);
        sums[r].w = fused(terms[i], weights[i].w, sums[r].w);
      }
    }
  }
#pragma unroll
  for (unsigned r = 0; r < Tuned::rows_each; ++r) {
    *reinterpret_cast<float4*>(&shared.row[first + r + 1][unit]) = sums[r];
  }
}

/// The states after all rows, the last ones in shared.vector[(rows - 1) % 2]. Begins after a
/// barrier and ends with one.
template <bool train>
__device__ void forward(const SampleWork& work, TunedShared& shared, const Chains& onward) {
  const unsigned j = threadIdx.x, place = Tuned::place(j);
  float* input = work.task.input_row(work.sample, 1) + Tuned::columns + j;
  for (unsigned t = 0; t < work.task.rows; ++t) {
    const float* sums = shared.row[t + 1];
    // h_0 is zero, and so is its product.
    const float z = t == 0 ? sums[j]
                           : onward.product(shared.vector[(t - 1) % 2],
                                            *reinterpret_cast<const float4*>(sums + onward.unit));
    const float h = arithmetic::tanh(z);
    shared.vector[t % 2][place] = h;
    if (train) {
      shared.row[t][j] = h;
      *input = h;
      input += work.task.input_width;
    }
    __syncthreads();
  }
}

/// Leaves the logits in shared.logits, after a barrier: four threads for each class.
__device__ inline void add_head(const SampleTask& task, TunedShared& shared) {
  const float* last = shared.vector[(task.rows - 1) % 2];
  const unsigned c = threadIdx.x / parts, part = threadIdx.x % parts;
  float sum = part == 0 && c < task.classes ? shared.head_bias[c] : 0.0f;
  if (c < task.classes) {
#pragma unroll 8
    for (unsigned k = 0; k < Tuned::chain; ++k) {
      sum = fused(last[part * Tuned::stride + k],
                  shared.head[(part * Tuned::chain + k) * task.classes + c], sum);
    }
  }
  sum = add_parts(sum);
  if (part == 0 && c < task.classes) shared.logits[c] = sum;
  __syncthreads();
}

/// The largest logit and its place, the first of equals: every lane of a warp gets it from its own.
struct Largest {
  float value;
  unsigned place;

  __device__ void add(unsigned lanes) {
    const float other = __shfl_xor_sync(all_lanes, value, static_cast<int>(lanes));
    const unsigned there = __shfl_xor_sync(all_lanes, place, static_cast<int>(lanes));
    const bool better = other > value || (other == value && there < place);
    value = better ? other : value;
    place = better ? there : place;
  }
};

/// How a sample was classified: all that its tally needs.
struct Verdict {
  float sum;       // of exp(logit - largest)
  float of_label;  // logit - largest
  bool right;

  __device__ void add_to(DeviceTally& tally) const {
    const Tally own = sample_tally(arithmetic::log(sum) - of_label, right);
    atomicAdd(&tally.loss, static_cast<unsigned long long>(own.loss));
    atomicAdd(&tally.correct, static_cast<unsigned long long>(own.correct));
    if (own.invalid != 0) atomicOr(&tally.invalid, own.invalid);
  }
};

/// Probabilities and the derivatives by the logits, these after a barrier. Each warp finds the
/// largest for itself, a lane for each class.
template <bool train>
__device__ Verdict classify(const SampleWork& work, TunedShared& shared) {
  const SampleTask& task = work.task;
  const unsigned c = threadIdx.x % 32;
  const bool is_class = c < task.classes;
  // A lane without a class has the first one's, which changes nothing.
  Largest largest{shared.logits[is_class ? c : 0], is_class ? c : 0};
#pragma unroll
  for (unsigned lanes = 16; lanes > 0; lanes /= 2) largest.add(lanes);
  float e = 0.0f;
  if (is_class) e = arithmetic::exp(shared.logits[c] - largest.value);
  if (threadIdx.x < 32) shared.values[c] = e;
  __syncthreads();
  float sum = 0.0f;
#pragma unroll
  for (unsigned i = 0; i < Tuned::most_classes; ++i) {
    sum = i < task.classes ? sum + shared.values[i] : sum;
  }
  if (threadIdx.x < 32 && is_class) {
    const float p = divide(e, sum);
    const float d = c == work.label ? p - 1.0f : p;
    const std::size_t i = std::size_t{work.sample} * task.classes + c;
    if (task.probabilities != nullptr) task.probabilities[i] = p;
    if (train) task.d[i] = shared.derivatives[c] = d;
  }
  __syncthreads();
  return {sum, shared.logits[work.label] - largest.value, largest.place == work.label};
}

/// dz of all rows, from the last.
__device__ inline void backward(const SampleWork& work, TunedShared& shared, const Chains& back) {
  const SampleTask& task = work.task;
  const unsigned j = threadIdx.x, place = Tuned::place(j);
  float* dz = task.dz + (std::size_t{work.sample} * task.rows + task.rows - 1) * task.dz_width + j;
  for (unsigned t = task.rows; t-- > 0; dz -= task.dz_width) {
    const float h = shared.row[t][j];
    float r = 0.0f;
    if (t + 1 < task.rows) {
      r = back.product(shared.vector[(t + 1) % 2], float4{0.0f, 0.0f, 0.0f, 0.0f});
    } else {
      for (unsigned c = 0; c < task.classes; ++c) {
        r = fused(shared.derivatives[c], shared.head[j * task.classes + c], r);
      }
    }
    const float value = r * arithmetic::tanh_slope(h);
    *dz = value;
    if (t == 0) break;
    shared.vector[t % 2][place] = value;
    __syncthreads();
  }
}

__device__ inline void load_head(const SampleTask& task, TunedShared& shared) {
  for (unsigned i = threadIdx.x; i < Tuned::units * task.classes; i += Tuned::threads) {
    shared.head[i] = task.head()[i];
  }
  if (threadIdx.x < task.classes) shared.head_bias[threadIdx.x] = task.head_bias()[threadIdx.x];
}

template <bool train>
__device__ __forceinline__ void run_tuned(const SampleTask& task, TunedShared& shared) {
  Chains chains;
  chains.load_onward(task.recurrent());
  load_head(task, shared);
  for (unsigned sample = blockIdx.x; sample < task.pictures.count; sample += gridDim.x) {
    const SampleWork work = sample_work(task, sample, nullptr);
    read_picture<train>(work, shared);
    __syncthreads();
    add_inputs(task, shared);
    __syncthreads();
    forward<train>(work, shared, chains);
    if (train) chains.load_back(task.recurrent());  // on their way while the sample is classified
    add_head(task, shared);
    const Verdict verdict = classify<train>(work, shared);
    if (train) backward(work, shared, chains);
    if (threadIdx.x == 0) verdict.add_to(*task.tally);
    if (train) break;
  }
}

/// A block of threads for each sample.
__global__ void __launch_bounds__(Tuned::threads) train_samples_tuned(SampleTask task) {
  __shared__ TunedShared shared;
  run_tuned<true>(task, shared);
}

__global__ void __launch_bounds__(Tuned::threads) evaluate_samples_tuned(SampleTask task) {
  __shared__ TunedShared shared;
  run_tuned<false>(task, shared);
}

}  // namespace lockstep::network
