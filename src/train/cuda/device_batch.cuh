#pragma once

#include <cuda_runtime.h>

#include <core/cuda.cuh>
#include <lockstep/data/batch.hpp>
#include <model/device_network.cuh>

namespace lockstep {

/// Copies of a batch of the host's in the GPU's memory, one batch at a time.
class DeviceBatch {
 public:
  /// Enqueues the copy. The batch before must have been waited for.
  DevicePictures load(const Batch& batch, cudaStream_t stream);

 private:
  void grow(std::size_t pictures, std::size_t pixels);

  cuda::PinnedMemory<std::uint8_t> gathered_;  // pictures, then labels
  cuda::DeviceMemory<std::uint8_t> pixels_;
  cuda::DeviceMemory<std::uint8_t> labels_;
};

}  // namespace lockstep
