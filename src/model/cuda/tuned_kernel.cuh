#pragma once

#include <core/dynamic_shared.cuh>
#include <core/kernel_order.cuh>

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
  static constexpr unsigned vector_stride = 256;    // between vectors: a bit of their places
  static constexpr unsigned rows_each = 7;          // rows of the picture for a warp

  /// Where term k of a vector lies in shared memory.
  static __device__ unsigned place(unsigned k) { return k / chain * stride + k % chain; }
};

/// The recurrent weights in shared memory, for threads that read them by rows or by columns:
/// neither meets at a bank.
struct RecurrentRows {
  static constexpr unsigned row_stride = parts * Tuned::stride + 4;
  static constexpr unsigned skew = 8;  // more for every quarter of the rows
  alignas(16) float values[Tuned::units * row_stride + parts * skew];

  __device__ float4& at(unsigned row, unsigned column) {
    return *reinterpret_cast<float4*>(values + row * row_stride + row / Tuned::chain * skew +
                                      Tuned::place(column));
  }
};

/// What the threads of a block share.
struct TunedShared {
  alignas(16) float vector[2 * Tuned::vector_stride];  // a row's states, or dz; the next one's
  /// Row t + 1: the input's part of row t's sums. Row t: afterwards the states after row t.
  alignas(16) float row[Tuned::most_rows + 1][Tuned::units];
  alignas(16) float x[Tuned::most_rows][Tuned::columns];
  alignas(16) float kernel[Tuned::columns][Tuned::units];  // the input's rows
  alignas(16) float head[Tuned::units * Tuned::most_classes];
  RecurrentRows recurrent;
  alignas(16) float bias[Tuned::units];
  float ink[256];  // a byte as the network reads it
  float head_bias[Tuned::most_classes];
  float logits[Tuned::most_classes];
  float derivatives[Tuned::most_classes];  // by the logits
};

/// The recurrent weights of a thread, for one direction: of part `part` of the chains of the units
/// from `unit` on.
struct Chains {
  float weights[Tuned::each][Tuned::chain];
  unsigned unit = threadIdx.x / parts * Tuned::each;
  unsigned part = threadIdx.x % parts;

  /// Terms [begin, end); term k of unit j is weight [k][j].
  __device__ __forceinline__ void load_onward(const float* recurrent, unsigned begin,
                                              unsigned end) {
#pragma unroll
    for (unsigned k = begin; k < end; ++k) {
      const float4 w = *reinterpret_cast<const float4*>(
          recurrent + (part * Tuned::chain + k) * Tuned::units + unit);
      weights[0][k] = w.x;
      weights[1][k] = w.y;
      weights[2][k] = w.z;
      weights[3][k] = w.w;
    }
  }

  /// For the way back, when all threads have done so.
  __device__ void share(RecurrentRows& rows) const {
#pragma unroll
    for (unsigned k = 0; k < Tuned::chain; ++k) {
      rows.at(part * Tuned::chain + k, unit) =
          float4{weights[0][k], weights[1][k], weights[2][k], weights[3][k]};
    }
  }

  /// Term k of unit j is weight [j][k].
  __device__ void load_back(RecurrentRows& rows) {
#pragma unroll
    for (unsigned u = 0; u < Tuned::each; ++u) {
#pragma unroll
      for (unsigned k = 0; k < Tuned::chain; k += 4) {
        const float4 w = rows.at(unit + u, part * Tuned::chain + k);
        weights[u][k] = w.x;
        weights[u][k + 1] = w.y;
        weights[u][k + 2] = w.z;
        weights[u][k + 3] = w.w;
      }
    }
  }

  /// Where the thread's terms begin in a vector.
  __device__ unsigned first() const {
    return part * Tuned::stride;
  }

  /// The product for unit threadIdx.x with the terms from `from` on; `start` are those of the
  /// thread's four units.
  __device__ __forceinline__ float product(const float* from, float4 start) const {
    const auto* terms = reinterpret_cast<const float4*>(from);
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

/// A thread's part of the other weights, on their way to shared memory.
struct OtherWeights {
  static constexpr unsigned kernel_loads = Tuned::columns * Tuned::units / 4 / Tuned::threads;
  static constexpr unsigned head_loads = Tuned::most_classes * Tuned::units / 4 / Tuned::threads;
  float4 kernel[kernel_loads], head[head_loads];
  float bias, head_bias = 0.0f;

  __device__ explicit OtherWeights(const SampleTask& task) : bias(task.bias()[threadIdx.x]) {
#pragma unroll
    for (unsigned i = 0; i < kernel_loads; ++i) {
      kernel[i] = reinterpret_cast<const float4*>(task.parameters)[place(i)];
    }
#pragma unroll
    for (unsigned i = 0; i < head_loads; ++i) {
      if (is_in_head(task, i)) head[i] = reinterpret_cast<const float4*>(task.head())[place(i)];
    }
    if (threadIdx.x < task.classes) head_bias = task.head_bias()[threadIdx.x];
  }

  __device__ void write(const SampleTask& task, TunedShared& shared) const {
#pragma unroll
    for (unsigned i = 0; i < kernel_loads; ++i) {
      reinterpret_cast<float4*>(shared.kernel)[place(i)] = kernel[i];
    }
#pragma unroll
    for (unsigned i = 0; i < head_loads; ++i) {
      if (is_in_head(task, i)) reinterpret_cast<float4*>(shared.head)[place(i)] = head[i];
    }
    shared.bias[threadIdx.x] = bias;
    if (threadIdx.x < task.classes) shared.head_bias[threadIdx.x] = head_bias;
  }

 private:
  static __device__ unsigned place(unsigned i) {
    return i * Tuned::threads + threadIdx.x;
  }
  static __device__ bool is_in_head(const SampleTask& task, unsigned i) {
    return place(i) < Tuned::units / 4 * task.classes;
  }
};

/// A thread's pixels of a picture, four in a word.
struct PictureWords {
  static constexpr unsigned row = Tuned::columns / 4;
  static constexpr unsigned most = 2;
  std::uint32_t words[most];

  static_assert(Tuned::most_rows * row <= most * Tuned::threads);

  __device__ explicit PictureWords(const SampleWork& work) {
#pragma unroll
    for (unsigned i = 0; i < most; ++i) {
      const unsigned place = i * Tuned::threads + threadIdx.x;
      if (place < work.task.rows * row) {
        words[i] = reinterpret_cast<const std::uint32_t*>(work.pixels)[place];
      }
    }
  }

  /// As the network reads them.
  template <bool train>
  __device__ void write(const SampleWork& work, TunedShared& shared) const {
#pragma unroll
    for (unsigned i = 0; i < most; ++i) {
      const unsigned place = i * Tuned::threads + threadIdx.x;
      if (place >= work.task.rows * row) break;
      const unsigned t = place / row, column = place % row * 4;
      const float4 x{shared.ink[words[i] & 255], shared.ink[words[i] >> 8 & 255],
                     shared.ink[words[i] >> 16 & 255], shared.ink[words[i] >> 24]};
      *reinterpret_cast<float4*>(&shared.x[t][column]) = x;
      if (train) *reinterpret_cast<float4*>(work.task.input_row(work.sample, t) + column) = x;
    }
  }
};

/// row[t + 1][j] = the chain of x_t over K's input rows, from the bias: a thread's four units, for
/// the rows of its warp. `before(k)` is done before every fourth k.
template <typename Work>
__device__ __forceinline__ void add_inputs(TunedShared& shared, const Work& before) {
  const unsigned unit = threadIdx.x % 32 * Tuned::each;
  const unsigned first = threadIdx.x / 32 * Tuned::rows_each;
  const float4 bias = *reinterpret_cast<const float4*>(&shared.bias[unit]);
  float4 sums[Tuned::rows_each];
#pragma unroll
  for (float4& sum : sums) sum = bias;
#pragma unroll
  for (unsigned k = 0; k < Tuned::columns; k += 4) {
    before(k);
    float4 weights[4];
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      weights[i] = *reinterpret_cast<const float4*>(&shared.kernel[k + i][unit]);
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

/// The states after all rows, the last ones in shared.vector at (rows - 1) % 2 * vector_stride.
/// Begins after a barrier and ends with one. What no other thread waits for is stored behind the
/// product.
template <bool train>
__device__ void forward(const SampleWork& work, TunedShared& shared, const Chains& onward) {
  const unsigned j = threadIdx.x, rows = work.task.rows;
  unsigned to = Tuned::place(j), from = onward.first();
  float* input = work.task.input_row(work.sample, 1) + Tuned::columns + j;
  float z = shared.row[1][j];  // h_0 is zero, and so is its product
  for (unsigned t = 0; t < rows; ++t) {
    const float h = arithmetic::tanh(z);
    shared.vector[to] = h;
    __syncthreads();
    if (t + 1 < rows) {
      z = onward.product(&shared.vector[from],
                         *reinterpret_cast<const float4*>(&shared.row[t + 2][onward.unit]));
    }
    if (train) {
      shared.row[t][j] = h;
      *input = h;
      input += work.task.input_width;
    }
    to ^= Tuned::vector_stride;
    from ^= Tuned::vector_stride;
  }
}

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

/// dz of all rows, from the last.
__device__ inline void backward(const SampleWork& work, TunedShared& shared, const Chains& back) {
  const SampleTask& task = work.task;
  const unsigned j = threadIdx.x;
  unsigned to = Tuned::place(j), from = back.first();
  float* dz = task.dz + (std::size_t{work.sample} * task.rows + task.rows - 1) * task.dz_width + j;
  float slope = arithmetic::tanh_slope(shared.row[task.rows - 1][j]);
  float r = 0.0f;
  for (unsigned c = 0; c < task.classes; ++c) {
    r = fused(shared.derivatives[c], shared.head[j * task.classes + c], r);
  }
  for (unsigned t = task.rows - 1; t > 0; --t) {
    const float value = r * slope;
    shared.vector[to] = value;
    __syncthreads();
    slope = arithmetic::tanh_slope(shared.row[t - 1][j]);
    r = back.product(&shared.vector[from], float4{0.0f, 0.0f, 0.0f, 0.0f});
    *dz = value;
    dz -= task.dz_width;
    to ^= Tuned::vector_stride;
    from ^= Tuned::vector_stride;
  }
  *dz = r * slope;
}

/// The table of pixels, which costs no wait: the loads of a block's first sample are on their way.
__device__ inline void make_ink(TunedShared& shared) {
#pragma unroll
  for (unsigned i = threadIdx.x; i < 256; i += Tuned::threads) {
    shared.ink[i] = arithmetic::pixel(static_cast<std::uint8_t>(i));
  }
}

template <bool train>
__device__ __forceinline__ void run_sample(const SampleWork& work, Chains& chains,
                                           TunedShared& shared) {
  if (train) chains.share(shared.recurrent);
  __syncthreads();
  forward<train>(work, shared, chains);
  add_head(work.task, shared);
  // While other warps load their weights, two of them see to what is small.
  if (threadIdx.x / 32 == 0) differentiate<train>(work, shared);
  if (threadIdx.x / 32 == 1) add_to_tally(work, shared);
  if constexpr (train) {
    chains.load_back(shared.recurrent);
    __syncthreads();
    backward(work, shared, chains);
  }
}

/// The first sample of a block. Loads are asked for in the order in which they are needed: all
/// blocks together want more of the L2 cache than it can give, so the recurrent weights, two thirds
/// of it, come beside the sums of the input. The compiler, which would change the order, moves no
/// load over a __syncwarp.
template <bool train>
__device__ __forceinline__ void run_first(const SampleTask& task, Chains& chains,
                                          TunedShared& shared) {
  constexpr unsigned at_once = 4, later = 4;
  const std::size_t place = place_of(task.pictures, blockIdx.x);
  const OtherWeights others(task);
  __syncwarp();
  const SampleWork work = sample_work(task, blockIdx.x, place, nullptr);
  const PictureWords picture(work);
  __syncwarp();
  chains.load_onward(task.recurrent(), 0, at_once);
  __syncwarp();
  make_ink(shared);
  others.write(task, shared);
  __syncthreads();
  picture.write<train>(work, shared);
  __syncthreads();
  add_inputs(shared, [&](unsigned k) {
    const unsigned begin = at_once + k / 4 * later;
    if (begin < Tuned::chain) chains.load_onward(task.recurrent(), begin, begin + later);
    __syncwarp();
  });
  run_sample<train>(work, chains, shared);
}

template <bool train>
__device__ __forceinline__ void run_tuned(const SampleTask& task, TunedShared& shared) {
  Chains chains;
  run_first<train>(task, chains, shared);
  if constexpr (!train) {
    for (unsigned sample = blockIdx.x + gridDim.x; sample < task.pictures.count;
         sample += gridDim.x) {
      const SampleWork work = sample_work(task, sample, place_of(task.pictures, sample), nullptr);
      PictureWords(work).write<false>(work, shared);
      __syncthreads();
      add_inputs(shared, [](unsigned) {});
      run_sample<false>(work, chains, shared);
    }
  }
}

/// A block of threads for each sample, to evaluate for several, with a TunedShared of dynamic
/// shared memory.
__global__ void __launch_bounds__(Tuned::threads) train_samples_tuned(SampleTask task) {
  cuda::wait_for_kernel_before();
  run_tuned<true>(task, cuda::dynamic_shared<TunedShared>());
}

__global__ void __launch_bounds__(Tuned::threads) evaluate_samples_tuned(SampleTask task) {
  run_tuned<false>(task, cuda::dynamic_shared<TunedShared>());
}

}  // namespace lockstep::network
