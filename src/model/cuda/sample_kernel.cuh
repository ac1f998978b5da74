#pragma once

#include <model/device_network.cuh>

#include "product.cuh"

// All rows of a sample, forward and backward, by one block of threads: no other block is waited
// for.

namespace lockstep::network {

constexpr unsigned sample_threads = 512;
constexpr unsigned units_at_once = sample_threads / parts;

struct SampleTask {
  unsigned rows, columns, hidden, classes;
  unsigned input_width, dz_width;  // from a row of `inputs` or `dz` to the next
  const float* parameters;
  DevicePictures pictures;
  bool train;
  float* inputs;  // as in DeviceNetwork; of `train` only
  float* dz;      // likewise; run_samples keeps its rows there, also of a forward pass, by block
  float* d;
  float* probabilities;  // or null
  DeviceTally* tally;

  __device__ const float* recurrent() const { return parameters + columns * hidden; }
  __device__ const float* bias() const { return recurrent() + hidden * hidden; }
  __device__ const float* head() const { return bias() + hidden; }
  __device__ const float* head_bias() const { return head() + hidden * classes; }
  __device__ float* input_row(unsigned sample, unsigned t) const {
    return inputs + (std::size_t{sample} * (rows + 1) + t) * input_width;
  }
};

/// One sample, as its block of threads sees it.
struct SampleWork {
  const SampleTask& task;
  unsigned sample;
  const std::uint8_t* pixels;
  unsigned label;
  /// [rows][dz_width]: the input's part of a row's sums, then the row's states, then dz.
  float* row;

  unsigned part = threadIdx.x % parts;
  unsigned first_unit = threadIdx.x / parts;
};

/// What the threads of a block share beside the rows.
struct SampleShared {
  alignas(
      16) float vector[2][DeviceNetwork::most_units + 16];  // a row's states, or dz; the next one's
  float ink[256];                                           // a byte as the network reads it
  float logits[DeviceNetwork::most_classes];
  float values[DeviceNetwork::most_classes];  // exp(logit - largest), then derivatives
};

/// row[t][j] = the chain of x_t over K's input rows, from the bias.
__device__ inline void add_inputs(const SampleWork& work, const SampleShared& shared) {
  const SampleTask& task = work.task;
  for (unsigned i = threadIdx.x; i < task.rows * task.hidden; i += blockDim.x) {
    const unsigned t = i / task.hidden, j = i % task.hidden;
    float sum = task.bias()[j];
    for (unsigned k = 0; k < task.columns; ++k) {
      sum = fused(shared.ink[work.pixels[t * task.columns + k]],
                  task.parameters[k * task.hidden + j], sum);
    }
    work.row[t * task.dz_width + j] = sum;
  }
}

/// The states of all rows; the last ones are in shared.vector[rows % 2] afterwards. Begins after a
/// barrier and ends with one.
__device__ inline void forward(const SampleWork& work, SampleShared& shared,
                               const WeightsInMemory& weights) {
  const SampleTask& task = work.task;
  for (unsigned t = 0; t < task.rows; ++t) {
    const float* before = shared.vector[t % 2];
    float* after = shared.vector[(t + 1) % 2];
    for (unsigned base = 0; base < task.hidden; base += units_at_once) {
      const unsigned j = base + work.first_unit;
      const bool writes = work.part == 0 && j < task.hidden;
      float* place = work.row + t * task.dz_width + j;
      const float z = weights.product(j, work.part, before, writes ? *place : 0.0f);
      if (!writes) continue;
      const float h = arithmetic::tanh(z);
      after[weights.place(j)] = h;
      *place = h;
      if (task.train) task.input_row(work.sample, t + 1)[task.columns + j] = h;
    }
    __syncthreads();
  }
}

/// Logits, loss and probabilities; leaves the derivatives by the logits in shared.values.
__device__ inline void classify(const SampleWork& work, SampleShared& shared,
                                const WeightsInMemory& layout) {
  const SampleTask& task = work.task;
  const float* last = shared.vector[task.rows % 2];
  for (unsigned base = 0; base < task.classes; base += units_at_once) {
    const unsigned c = base + work.first_unit;
    const auto quarter = static_cast<unsigned>(arithmetic::quarter(task.hidden));
    float sum = work.part == 0 && c < task.classes ? task.head_bias()[c] : 0.0f;
    const unsigned end = work.part == 3 ? task.hidden : (work.part + 1) * quarter;
    for (unsigned k = work.part * quarter; c < task.classes && k < end && k < task.hidden; ++k) {
      sum = fused(last[layout.place(k)], task.head()[k * task.classes + c], sum);
    }
    sum = add_parts(sum);
    if (work.part == 0 && c < task.classes) shared.logits[c] = sum;
  }
  __syncthreads();
  const std::size_t predicted = arithmetic::first_largest(shared.logits, task.classes);
  const float largest = shared.logits[predicted];
  for (unsigned c = threadIdx.x; c < task.classes; c += blockDim.x) {
    shared.values[c] = arithmetic::exp(shared.logits[c] - largest);
  }
  __syncthreads();
  float sum = 0.0f;
  for (unsigned c = 0; c < task.classes; ++c) sum = sum + shared.values[c];
  if (threadIdx.x == 0) {
    const float loss = arithmetic::log(sum) - (shared.logits[work.label] - largest);
    const Tally tally = sample_tally(loss, predicted == work.label);
    atomicAdd(&task.tally->loss, static_cast<unsigned long long>(tally.loss));
    atomicAdd(&task.tally->correct, static_cast<unsigned long long>(tally.correct));
    if (tally.invalid != 0) atomicOr(&task.tally->invalid, tally.invalid);
  }
  __syncthreads();
  for (unsigned c = threadIdx.x; c < task.classes; c += blockDim.x) {
    const float p = divide(shared.values[c], sum);
    const std::size_t i = std::size_t{work.sample} * task.classes + c;
    if (task.probabilities != nullptr) task.probabilities[i] = p;
    if (!task.train) continue;
    shared.values[c] = c == work.label ? p - 1.0f : p;
    task.d[i] = shared.values[c];
  }
}

/// dz of all rows, from the last. Begins after a barrier and ends with one.
__device__ inline void backward(const SampleWork& work, SampleShared& shared,
                                const WeightsInMemory& weights) {
  const SampleTask& task = work.task;
  for (unsigned t = task.rows; t-- > 0;) {
    const float* above = shared.vector[t % 2];
    float* after = shared.vector[(t + 1) % 2];
    for (unsigned base = 0; base < task.hidden; base += units_at_once) {
      const unsigned j = base + work.first_unit;
      const bool writes = work.part == 0 && j < task.hidden;
      float r = 0.0f;
      if (t + 1 < task.rows) {
        r = weights.product(j, work.part, above, 0.0f);
      } else if (writes) {
        for (unsigned c = 0; c < task.classes; ++c) {
          r = fused(shared.values[c], task.head()[j * task.classes + c], r);
        }
      }
      if (!writes) continue;
      const unsigned i = t * task.dz_width + j;
      const float dz = r * arithmetic::tanh_slope(work.row[i]);
      after[weights.place(j)] = dz;
      task.dz[std::size_t{work.sample} * task.rows * task.dz_width + i] = dz;
    }
    __syncthreads();
  }
}

/// Hands each pixel to `store`, and sets h_0.
template <typename Store>
__device__ void read_picture(const SampleWork& work, SampleShared& shared, const Store& store) {
  const SampleTask& task = work.task;
  for (unsigned i = threadIdx.x; i < task.rows * task.columns; i += blockDim.x) {
    store(i, work.pixels[i]);
  }
  for (unsigned i = threadIdx.x; i < DeviceNetwork::most_units + 16; i += blockDim.x) {
    shared.vector[0][i] = 0.0f;
  }
}

__device__ inline std::size_t place_of(const DevicePictures& pictures, unsigned sample) {
  return pictures.chosen == nullptr ? sample : pictures.chosen[sample];
}

/// The sample whose picture lies at `place`.
__device__ inline SampleWork sample_work(const SampleTask& task, unsigned sample, std::size_t place,
                                         float* row) {
  const DevicePictures& from = task.pictures;
  return {task, sample, from.pixels + place * task.rows * task.columns, from.labels[place], row};
}

__global__ void __launch_bounds__(sample_threads) run_samples(SampleTask task) {
  __shared__ SampleShared shared;
  const Quarters quarters = plain_quarters(task.hidden);
  const WeightsInMemory onward{task.recurrent(), task.hidden, 1, task.hidden, quarters};
  const WeightsInMemory back{task.recurrent(), 1, task.hidden, task.hidden, quarters};
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) {
    shared.ink[i] = arithmetic::pixel(static_cast<std::uint8_t>(i));
  }
  for (unsigned sample = blockIdx.x; sample < task.pictures.count; sample += gridDim.x) {
    const unsigned slot = task.train ? sample : blockIdx.x;
    const SampleWork work = sample_work(task, sample, place_of(task.pictures, sample),
                                        task.dz + std::size_t{slot} * task.rows * task.dz_width);
    __syncthreads();
    read_picture(work, shared, [&](unsigned i, std::uint8_t ink) {
      if (task.train) task.input_row(sample, i / task.columns)[i % task.columns] = shared.ink[ink];
    });
    add_inputs(work, shared);
    __syncthreads();
    forward(work, shared, onward);
    classify(work, shared, onward);
    __syncthreads();
    if (task.train) backward(work, shared, back);
  }
}

}  // namespace lockstep::network
