#include <model/device_network.cuh>

#include <algorithm>
#include <numeric>

#include <lockstep/core/error.hpp>

#include "gradient_kernel.cuh"
#include "tuned_gradient_kernel.cuh"
#include "tuned_kernel.cuh"

namespace lockstep {
namespace {

/// Blocks of threads that a forward pass alone runs in: as many as an H200 has multiprocessors, and
/// for each of them rows in the GPU's memory where the size is not the tuned one.
constexpr unsigned forward_blocks = 132;

/// The ones at place `one` of the rows, whose products with dz are the bias's gradient, and h_0 =
/// 0.
__global__ void begin_inputs(float* inputs, unsigned rows, unsigned width, unsigned one) {
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < rows * width;
       i += gridDim.x * blockDim.x) {
    inputs[i] = i % width == one ? 1.0f : 0.0f;
  }
}

unsigned narrow(std::size_t n) {
  return static_cast<unsigned>(n);
}

/// Whether there are kernels for this size that the GPU has room for: some have 99 KB.
bool is_tuned(const ModelShape& shape) {
  using network::Tuned;
  return shape.hidden == Tuned::units && shape.columns == Tuned::columns &&
         shape.rows <= Tuned::most_rows && shape.classes <= Tuned::most_classes &&
         cuda::has_shared(
             std::max(sizeof(network::TunedShared), sizeof(network::TunedGradientShared)));
}

unsigned whole_float4s(std::size_t floats) {
  return narrow((floats + 3) / 4 * 4);
}

}  // namespace

DeviceNetwork::DeviceNetwork(const ModelShape& shape, float limit,
                             const std::vector<std::size_t>& blocks, cudaStream_t stream)
    : shape_(shape), limit_(limit), tuned_(is_tuned(shape)) {
  if (shape.hidden > most_units || shape.classes > most_classes) {
    throw Error(ExitCode::usage,
                "a GPU computes up to 1024 units and 256 classes; say --device cpu");
  }
  std::vector<network::SampleBlock> list;
  for (const std::size_t count : blocks) {
    list.push_back({samples_, narrow(count)});
    samples_ += narrow(count);
  }
  blocks_ = cuda::to_device(list, stream);
  const std::size_t inputs = samples_ * (shape.rows + 1);
  inputs_ = cuda::DeviceMemory<float>(inputs * input_width());
  const std::size_t row_slots = std::max<std::size_t>(samples_, tuned_ ? 0 : forward_blocks);
  dz_ = cuda::DeviceMemory<float>(row_slots * shape.rows * dz_width());
  d_ = cuda::DeviceMemory<float>(samples_ * shape.classes);
  if (tuned_) {
    early_ = cuda::waits_for_kernel_before(network::train_samples_tuned);
    for (const auto kernel : {network::train_samples_tuned, network::evaluate_samples_tuned}) {
      cuda::allow_shared(kernel, sizeof(network::TunedShared));
    }
    cuda::allow_shared(network::add_block_gradient_tuned, sizeof(network::TunedGradientShared));
  }
  if (samples_ > 0) {
    cuda::launch(stream, forward_blocks, 256, begin_inputs, inputs_.data(), narrow(inputs),
                 input_width(), narrow(shape.columns + shape.hidden));
  }
}

unsigned DeviceNetwork::input_width() const noexcept {
  return whole_float4s(shape_.columns + shape_.hidden + 1);
}

unsigned DeviceNetwork::dz_width() const noexcept {
  return whole_float4s(shape_.hidden);
}

/// One block of threads for each sample, or for a forward pass at most forward_blocks.
void DeviceNetwork::launch(const float* parameters, const DevicePictures& pictures, bool train,
                           float* probabilities, DeviceTally* tally, cudaStream_t stream) {
  if (pictures.count == 0) return;
  const network::SampleTask task{narrow(shape_.rows),
                                 narrow(shape_.columns),
                                 narrow(shape_.hidden),
                                 narrow(shape_.classes),
                                 input_width(),
                                 dz_width(),
                                 parameters,
                                 pictures,
                                 train,
                                 inputs_.data(),
                                 dz_.data(),
                                 d_.data(),
                                 probabilities,
                                 tally};
  const unsigned blocks = train ? pictures.count : std::min(pictures.count, forward_blocks);
  if (tuned_) {
    cuda::launch(stream,
                 {blocks, network::Tuned::threads, sizeof(network::TunedShared), train && early_},
                 train ? network::train_samples_tuned : network::evaluate_samples_tuned, task);
  } else {
    cuda::launch(stream, blocks, network::sample_threads, network::run_samples, task);
  }
}

void DeviceNetwork::run(const float* parameters, const DevicePictures& pictures, DeviceTally* tally,
                        cudaStream_t stream) {
  launch(parameters, pictures, true, nullptr, tally, stream);
}

void DeviceNetwork::add_gradient(std::int64_t* sum, DeviceTally* tally,
                                 unsigned long long* checksum, cudaStream_t stream) {
  if (samples_ == 0) return;
  const network::SampleBlock* blocks =
      samples_ == blocks_.size() * block_samples ? nullptr : blocks_.data();
  if (tuned_) {
    const network::TunedGradientTask task{inputs_.data(),
                                          dz_.data(),
                                          d_.data(),
                                          narrow(shape_.rows),
                                          narrow(shape_.classes),
                                          blocks,
                                          narrow(blocks_.size()),
                                          sum,
                                          limit_,
                                          tally,
                                          checksum};
    const dim3 grid(task.block_count, network::tuned_tiles + 1);
    cuda::launch(stream, {grid, network::gradient_threads, sizeof(network::TunedGradientShared)},
                 network::add_block_gradient_tuned, task);
    return;
  }
  const auto [rows, columns, hidden, classes] = shape_;
  const auto layout = tensors(shape_);
  const std::size_t width = input_width(), dz = dz_width();
  const float* ends = inputs_.data() + rows * width + columns;  // h_T, 1 of the first sample
  const network::GradientTask task{
      {inputs_.data(), (rows + 1) * width, narrow(width), dz_.data(), rows * dz, narrow(dz),
       narrow(rows), narrow(columns + hidden + 1), narrow(hidden), sum + layout[0].offset, 0, true},
      {ends, (rows + 1) * width, 0, d_.data(), classes, 0, 1, narrow(hidden + 1), narrow(classes),
       sum + layout[2].offset, 2, columns % 4 == 0 && classes % 4 == 0},
      blocks,
      limit_,
      tally,
      checksum};
  const dim3 grid(narrow(blocks_.size()), std::max(task.recurrent.across(), task.head.across()),
                  task.recurrent.down() + task.head.down());
  cuda::launch(stream, grid, network::gradient_threads, network::add_block_gradient, task);
}

void DeviceNetwork::evaluate(const float* parameters, const DevicePictures& pictures,
                             float* probabilities, DeviceTally* tally, cudaStream_t stream) {
  launch(parameters, pictures, false, probabilities, tally, stream);
}

}  // namespace lockstep
