#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <core/cuda.cuh>
#include <lockstep/core/permutation.hpp>
#include <lockstep/core/random.hpp>
#include <model/device_network.cuh>

#include "local_shard.hpp"

namespace lockstep {

/// Where one of the rank's samples in every step comes from.
struct SampleSource {
  Random random;             // of its shard
  unsigned first, pictures;  // of the shard, in the GPU's memory
  unsigned number, share;    // among the shard's samples of a step, and how many these are
};

/// A step, in the GPU's memory.
struct DeviceStep {
  std::uint64_t number;  // from 1
  long long begin;       // cuda::nanoseconds() when its samples were chosen
};

/// The choice of a step's samples, for a block of threads: as ShardStream::pictures.
struct SampleChoice {
  const SampleSource* sources;
  unsigned samples;
  std::uint32_t* chosen;

  __device__ void choose(std::uint64_t step) const {
    for (unsigned i = threadIdx.x; i < samples; i += blockDim.x) {
      const SampleSource& from = sources[i];
      const std::uint64_t place = (step - 1) * from.share + from.number;
      const Permutation order = shuffle(from.pictures, from.random, place / from.pictures);
      chosen[i] = from.first + static_cast<std::uint32_t>(order(place % from.pictures));
    }
  }
};

/// The pictures of a rank's shards in the GPU's memory, and the samples of a step among them.
class DeviceShards {
 public:
  DeviceShards(std::span<const LocalShard> shards, cudaStream_t stream);

  /// Sizes of the blocks of samples whose gradient is one fp32 sum.
  const std::vector<std::size_t>& blocks() const noexcept { return blocks_; }
  unsigned samples() const noexcept { return samples_; }

  /// Enqueues the choice of the samples of a step and of the step after it, for indices 0 and 1.
  /// Notes `begin`.
  void choose(DeviceStep* step, cudaStream_t stream);
  /// For a kernel that chooses those of the step with that index, when the step two before it has
  /// read its own.
  SampleChoice choice(std::size_t index) const noexcept;
  /// The samples that are chosen for the step with that index.
  DevicePictures chosen(std::size_t index) const noexcept;

 private:
  std::vector<std::size_t> blocks_;
  unsigned samples_ = 0;
  cuda::DeviceMemory<std::uint8_t> pixels_;
  cuda::DeviceMemory<std::uint8_t> labels_;
  cuda::DeviceMemory<SampleSource> sources_;
  std::array<cuda::DeviceMemory<std::uint32_t>, 2> chosen_;
};

}  // namespace lockstep
