#include "torch_engine.hpp"

#include <dlfcn.h>
#include <torch/torch.h>

#include <cmath>
#include <string>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

using torch::Tensor;

[[noreturn]] void refuse_gpu(const std::string& reason) {
  throw Error(ExitCode::usage, "the engine torch cannot use the GPU (" + reason +
                                   "); build with a LibTorch that has CUDA "
                                   "(-DLOCKSTEP_TORCH_DIR=...), or use --device cpu");
}

/// LibTorch's part for GPUs, a gigabyte, is loaded when it is asked for, and before anything else
/// asks LibTorch whether it is there: the first answer is kept.
torch::Device device_of(const EngineConfig& config) {
  if (!config.gpu) return torch::kCPU;
  if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) refuse_gpu(::dlerror());
  if (!torch::cuda::is_available()) refuse_gpu("LibTorch finds none");
  return {torch::kCUDA, static_cast<torch::DeviceIndex>(*config.gpu)};
}

class TorchEngine final : public Engine {
 public:
  TorchEngine(const EngineConfig& config, const ModelShape& shape)
      : shape_(shape), limit_(config.limit), device_(device_of(config)) {
    torch::set_num_threads(1);  // the run's own threads share the shards
  }

  void set_parameters(std::span<const float> parameters) override;
  Tally add_gradient(const Batch& batch, std::span<std::int64_t> sum, std::size_t) override;
  Tally evaluate(const Batch& batch, std::span<float> probabilities, std::size_t) override;
  std::string name() const override { return "torch"; }
  std::string isa() const override { return "libtorch"; }

 private:
  static std::int64_t size(std::size_t n) { return static_cast<std::int64_t>(n); }
  Tensor logits(const std::vector<Tensor>& parameters, const Batch& batch) const;
  Tensor labels(const Batch& batch) const;
  Tally tally(const Tensor& logits, const Tensor& losses, const Tensor& labels) const;

  ModelShape shape_;
  float limit_;
  torch::Device device_;
  std::vector<Tensor> parameters_;  // kernel, bias, head kernel, head bias
};

void TorchEngine::set_parameters(std::span<const float> parameters) {
  parameters_.clear();
  for (const auto& t : tensors(shape_)) {
    auto sizes =
        t.rows == 1 ? std::vector{size(t.columns)} : std::vector{size(t.rows), size(t.columns)};
    const Tensor own = torch::from_blob(const_cast<float*>(parameters.data() + t.offset), sizes);
    parameters_.push_back(own.to(device_, torch::kFloat32, false, true));
  }
}

Tensor TorchEngine::logits(const std::vector<Tensor>& p, const Batch& batch) const {
  const auto n = size(batch.size());
  Tensor pixels = torch::empty({n, size(shape_.rows), size(shape_.columns)}, torch::kUInt8);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    std::copy_n(batch.pictures[i], shape_.rows * shape_.columns,
                pixels.data_ptr<std::uint8_t>() + i * shape_.rows * shape_.columns);
  }
  const Tensor x = pixels.to(device_).to(torch::kFloat32) / 255.0;
  Tensor h = torch::zeros({n, size(shape_.hidden)}, device_);
  for (std::int64_t t = 0; t < size(shape_.rows); ++t) {
    h = torch::tanh(torch::addmm(p[1], torch::cat({x.select(1, t), h}, 1), p[0]));
  }
  return torch::addmm(p[3], h, p[2]);
}

Tensor TorchEngine::labels(const Batch& batch) const {
  Tensor result = torch::empty({size(batch.size())}, torch::kInt64);
  std::copy(batch.labels.begin(), batch.labels.end(), result.data_ptr<std::int64_t>());
  return result.to(device_);
}

Tally TorchEngine::tally(const Tensor& logits, const Tensor& losses, const Tensor& labels) const {
  const Tensor loss = losses.detach().cpu();
  const Tensor right = (logits.argmax(1) == labels).cpu();
  Tally result;
  for (std::int64_t i = 0; i < labels.size(0); ++i) {
    result += sample_tally(loss.data_ptr<float>()[i], right.data_ptr<bool>()[i]);
  }
  return result;
}

/// Adds `gradient` to `sum` in fixed point; false if a value is invalid.
bool add_fixed(const Tensor& gradient, float limit, std::int64_t* sum) {
  const Tensor values = gradient.cpu().contiguous();
  const float* g = values.data_ptr<float>();
  bool valid = true;
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const bool fits = std::abs(g[i]) < limit;
    if (fits) sum[i] += to_fixed(g[i]);
    valid &= fits;
  }
  return valid;
}

Tally TorchEngine::add_gradient(const Batch& batch, std::span<std::int64_t> sum, std::size_t) {
  std::vector<Tensor> leaves;
  for (const Tensor& p : parameters_) leaves.push_back(p.detach().requires_grad_(true));
  const Tensor outputs = logits(leaves, batch);
  const Tensor truth = labels(batch);
  const Tensor losses = torch::nn::functional::cross_entropy(
      outputs, truth, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  const auto gradients = torch::autograd::grad({losses.sum()}, leaves);
  Tally result = tally(outputs, losses, truth);
  for (std::size_t i = 0; i < tensor_count; ++i) {
    if (!add_fixed(gradients[i], limit_, &sum[tensors(shape_)[i].offset]))
      result.invalid |= 1u << i;
  }
  return result;
}

Tally TorchEngine::evaluate(const Batch& batch, std::span<float> probabilities, std::size_t) {
  const torch::NoGradGuard no_grad;
  const Tensor outputs = logits(parameters_, batch);
  const Tensor truth = labels(batch);
  const Tensor losses = torch::nn::functional::cross_entropy(
      outputs, truth, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  if (!probabilities.empty()) {
    const Tensor p = torch::softmax(outputs, 1).cpu().contiguous();
    std::copy_n(p.data_ptr<float>(), p.numel(), probabilities.data());
  }
  return tally(outputs, losses, truth);
}

}  // namespace

/// What torch_library.cpp looks for.
extern "C" Engine* lockstep_new_torch_engine(const EngineConfig& config, const ModelShape& shape) {
  return new TorchEngine(config, shape);
}

}  // namespace lockstep
