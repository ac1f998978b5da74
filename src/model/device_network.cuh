#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <core/cuda.cuh>
#include <lockstep/model/engine.hpp>
#include <lockstep/model/shape.hpp>

namespace lockstep {

/// Pictures and labels in the GPU's memory, and which of them are meant: all `count`, or those
/// whose places in there `chosen` [count] holds.
struct DevicePictures {
  const std::uint8_t* pixels = nullptr;
  const std::uint8_t* labels = nullptr;
  const std::uint32_t* chosen = nullptr;  // null: the first `count`
  unsigned count = 0;
};

/// A Tally in the GPU's memory; kernels add to it.
struct DeviceTally {
  unsigned long long loss;
  unsigned long long correct;
  unsigned invalid;

  constexpr Tally exact() const noexcept {
    return {static_cast<std::int64_t>(loss), static_cast<std::int64_t>(correct), invalid};
  }
};

namespace network {
/// Samples, side by side, whose gradient is one fp32 sum.
struct SampleBlock {
  unsigned first, count;
};
}  // namespace network

/// The network on a GPU, with the bits of `reference`: kernels on the caller's stream, without a
/// wait, so that a graph can hold them. One stream at a time.
class DeviceNetwork {
 public:
  static constexpr std::size_t most_units = 1024;
  static constexpr std::size_t most_classes = 256;

  /// A step's samples on this rank come in blocks of these sizes, each up to block_samples: those
  /// of each shard. Work is enqueued on `stream`; `limit` as in EngineConfig. Throws Error (usage)
  /// for a shape beyond the above.
  DeviceNetwork(const ModelShape& shape, float limit, const std::vector<std::size_t>& blocks,
                cudaStream_t stream);

  /// Forward and backward over the samples of a step, and their tally: what add_gradient needs.
  void run(const float* parameters, const DevicePictures& pictures, DeviceTally* tally,
           cudaStream_t stream);

  /// Adds the gradient of the losses of the samples of the last run() to `sum` [parameter_count],
  /// in fixed point; what is invalid in it, to the tally; and the sum modulo 2^64 of all that was
  /// added, to `checksum`, if that is not null.
  void add_gradient(std::int64_t* sum, DeviceTally* tally, unsigned long long* checksum,
                    cudaStream_t stream);

  /// Forward only. `probabilities` [count][classes] or null.
  void evaluate(const float* parameters, const DevicePictures& pictures, float* probabilities,
                DeviceTally* tally, cudaStream_t stream);

 private:
  unsigned input_width() const noexcept;
  unsigned dz_width() const noexcept;
  void launch(const float* parameters, const DevicePictures& pictures, bool train,
              float* probabilities, DeviceTally* tally, cudaStream_t stream);

  ModelShape shape_;
  float limit_;
  bool tuned_;          // whether there are kernels for this size
  bool early_ = false;  // whether run() of the tuned size begins before the kernel before it ends
  unsigned samples_ = 0;
  cuda::DeviceMemory<network::SampleBlock> blocks_;
  // Rows are as wide as whole float4s are:
  cuda::DeviceMemory<float> inputs_;  // [samples][rows + 1][columns + hidden + 1]: x_t, h_t, 1
  cuda::DeviceMemory<float> dz_;      // [samples][rows][hidden]
  cuda::DeviceMemory<float> d_;       // [samples][classes]
};

}  // namespace lockstep
