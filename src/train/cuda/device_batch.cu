#include "device_batch.cuh"

#include <algorithm>
#include <span>

namespace lockstep {

void DeviceBatch::grow(std::size_t pictures, std::size_t pixels) {
  if (pictures <= labels_.size() && pixels <= pixels_.size()) return;
  gathered_ = cuda::PinnedMemory<std::uint8_t>(pixels + pictures);
  pixels_ = cuda::DeviceMemory<std::uint8_t>(pixels);
  labels_ = cuda::DeviceMemory<std::uint8_t>(pictures);
}

DevicePictures DeviceBatch::load(const Batch& batch, cudaStream_t stream) {
  const std::size_t size = batch.rows * batch.columns;
  grow(batch.size(), batch.size() * size);
  std::uint8_t* next = gathered_.data();
  for (const std::uint8_t* picture : batch.pictures) next = std::copy_n(picture, size, next);
  const std::span<const std::uint8_t> pixels(gathered_.data(), next);
  std::copy(batch.labels.begin(), batch.labels.end(), next);
  cuda::copy_to_device(pixels, pixels_.data(), stream);
  cuda::copy_to_device(std::span<const std::uint8_t>(next, batch.size()), labels_.data(), stream);
  return {pixels_.data(), labels_.data(), nullptr, static_cast<unsigned>(batch.size())};
}

}  // namespace lockstep
