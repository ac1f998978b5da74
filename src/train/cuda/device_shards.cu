#include "device_shards.cuh"

#include <algorithm>

#include <core/device_clock.cuh>

namespace lockstep {
namespace {

constexpr unsigned choice_threads = 128;

__global__ void __launch_bounds__(choice_threads)
    choose_samples(SampleChoice choice, DeviceStep* step) {
  if (threadIdx.x == 0) {
    step->begin = cuda::nanoseconds();
    *choice.next = step->number + 1;
  }
  choice.choose(step->number);
}

/// The sizes of `share` samples' blocks.
void add_blocks(std::size_t share, std::vector<std::size_t>& blocks) {
  for (; share > 0; share -= blocks.back()) blocks.push_back(std::min(share, block_samples));
}

}  // namespace

DeviceShards::DeviceShards(std::span<const LocalShard> shards, cudaStream_t stream) {
  std::vector<DeviceShard> table;
  std::vector<std::uint32_t> owners;
  std::size_t pixels = 0;
  unsigned pictures = 0;
  for (const LocalShard& shard : shards) {
    const auto size = static_cast<unsigned>(shard.labels().size());
    const auto share = static_cast<unsigned>(shard.share());
    owners.insert(owners.end(), share, static_cast<std::uint32_t>(table.size()));
    table.push_back({shard.stream().random(), pictures, size, samples_, share});
    add_blocks(share, blocks_);
    samples_ += share;
    pictures += size;
    pixels += shard.pixels().size();
  }
  shards_ = cuda::to_device(table, stream);
  owners_ = cuda::to_device(owners, stream);
  chosen_ = cuda::DeviceMemory<std::uint32_t>(samples_);
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
  cuda::launch(stream, 1, choice_threads, choose_samples, choice(), step);
}

SampleChoice DeviceShards::choice() const noexcept {
  return {shards_.data(), owners_.data(), samples_, next_.data(), chosen_.data()};
}

DevicePictures DeviceShards::chosen() const noexcept {
  return {pixels_.data(), labels_.data(), chosen_.data(), samples_};
}

}  // namespace lockstep
