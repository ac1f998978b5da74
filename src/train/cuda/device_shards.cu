#include "device_shards.cuh"

#include <algorithm>

#include <core/device_clock.cuh>

namespace lockstep {
namespace {

constexpr unsigned choice_threads = 128;

/// A block for each of the two steps.
__global__ void __launch_bounds__(choice_threads)
    choose_samples(SampleChoice first, SampleChoice second, DeviceStep* step) {
  if (blockIdx.x == 0 && threadIdx.x == 0) step->begin = cuda::nanoseconds();
  (blockIdx.x == 0 ? first : second).choose(step->number + blockIdx.x);
}

/// The sizes of `share` samples' blocks.
void add_blocks(std::size_t share, std::vector<std::size_t>& blocks) {
  for (; share > 0; share -= blocks.back()) blocks.push_back(std::min(share, block_samples));
}

}  // namespace

DeviceShards::DeviceShards(std::span<const LocalShard> shards, cudaStream_t stream) {
  std::vector<SampleSource> sources;
  std::size_t pixels = 0;
  unsigned pictures = 0;
  for (const LocalShard& shard : shards) {
    const auto size = static_cast<unsigned>(shard.labels().size());
    const auto share = static_cast<unsigned>(shard.share());
    for (unsigned number = 0; number < share; ++number) {
      sources.push_back({shard.stream().random(), pictures, size, number, share});
    }
    add_blocks(share, blocks_);
    pictures += size;
    pixels += shard.pixels().size();
  }
  samples_ = static_cast<unsigned>(sources.size());
  sources_ = cuda::to_device(sources, stream);
  for (auto& chosen : chosen_) chosen = cuda::DeviceMemory<std::uint32_t>(samples_);
  pixels_ = cuda::DeviceMemory<std::uint8_t>(pixels);
  labels_ = cuda::DeviceMemory<std::uint8_t>(pictures);
  std::uint8_t* next_pixels = pixels_.data();
  std::uint8_t* next_labels = labels_.data();
  for (const LocalShard& shard : shards) {
    cuda::copy_to_device(shard.pixels(), next_pixels, stream);
    cuda::copy_to_device(shard.labels(), next_labels, stream);
    next_pixels += shard.pixels().size();
    next_labels += shard.labels().size();
  }
  cuda::wait(stream);
}

void DeviceShards::choose(DeviceStep* step, cudaStream_t stream) {
  cuda::launch(stream, 2, choice_threads, choose_samples, choice(0), choice(1), step);
}

SampleChoice DeviceShards::choice(std::size_t index) const noexcept {
  return {sources_.data(), samples_, chosen_[index % 2].data()};
}

DevicePictures DeviceShards::chosen(std::size_t index) const noexcept {
  return {pixels_.data(), labels_.data(), chosen_[index % 2].data(), samples_};
}

}  // namespace lockstep
