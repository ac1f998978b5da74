#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <span>
#include <vector>

#include <core/cuda.cuh>
#include <lockstep/core/permutation.hpp>
#include <lockstep/core/random.hpp>
#include <model/device_network.cuh>

#include "local_shard.hpp"

namespace lockstep {

/// A shard of the rank's, and its part of the rank's samples in every step.
struct DeviceShard {
  Random random;
  unsigned first, pictures;  // in the GPU's memory
  unsigned sample, share;
};

/// A step, in the GPU's memory.
struct DeviceStep {
  std::uint64_t number;  // from 1
  long long begin;       // cuda::nanoseconds() when the step before was over
};

/// The choice of a step's samples, for a block of threads: as ShardStream::pictures.
struct SampleChoice {
  const DeviceShard* shards;
  const std::uint32_t* owners;  // the shard of each sample
  unsigned samples;
  std::uint64_t* next;  // the step after the one that was chosen for
  std::uint32_t* chosen;

  __device__ void choose(std::uint64_t step) const {
    for (unsigned i = threadIdx.x; i < samples; i += blockDim.x) {
      const DeviceShard& shard = shards[owners[i]];
      const std::uint64_t place = (step - 1) * shard.share + (i - shard.sample);
      const Permutation order = shuffle(shard.pictures, shard.random, place / shard.pictures);
      chosen[i] = shard.first + static_cast<std::uint32_t>(order(place % shard.pictures));
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

  /// Enqueues the choice of a step's samples. Notes `begin`.
  void choose(DeviceStep* step, cudaStream_t stream);
  /// For a kernel that chooses those of the step after.
  SampleChoice choice() const noexcept;
  /// The samples that are chosen.
  DevicePictures chosen() const noexcept;

 private:
  std::vector<std::size_t> blocks_;
  unsigned samples_ = 0;
  cuda::DeviceMemory<std::uint8_t> pixels_;
  cuda::DeviceMemory<std::uint8_t> labels_;
  cuda::DeviceMemory<DeviceShard> shards_;
  cuda::DeviceMemory<std::uint32_t> owners_;
  cuda::DeviceMemory<std::uint32_t> chosen_;
  cuda::DeviceMemory<std::uint64_t> next_{1};
};

}  // namespace lockstep
