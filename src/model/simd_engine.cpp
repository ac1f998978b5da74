#include "simd_engine.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/model/free_order.hpp>

#include "simd/kernels.hpp"

namespace lockstep {
namespace {

using simd::Kernels;
using simd::Layout;
using simd::Weights;
using simd::Workspace;

const Kernels& find_kernels(const std::string& isa) {
  const auto supported = simd::supported_kernels();
  for (const Kernels* kernels : supported) {
    if (isa == "auto" || isa == kernels->isa) return *kernels;
  }
  throw Error(ExitCode::usage, isa == "auto"
                                   ? "engine simd needs a processor with AVX2 and FMA, AVX-512 or "
                                     "NEON; use --engine reference"
                                   : "this machine has no " + isa + "; use --isa auto");
}

class SimdEngine final : public Engine, public FreeOrderEngine {
 public:
  SimdEngine(const EngineConfig& config, const ModelShape& shape)
      : kernels_(find_kernels(config.isa)),
        layout_(shape, kernels_.lanes, !config.dense),
        limit_(config.limit),
        weights_(layout_) {
    for (std::size_t i = 0; i < config.workers; ++i) workspaces_.emplace_back(layout_);
    seconds_.resize(config.workers);
  }

  void set_parameters(std::span<const float> parameters) override {
    kernels_.pack(layout_, parameters.data(), weights_);
  }
  Tally add_gradient(const Batch& batch, std::span<std::int64_t> sum, std::size_t worker) override {
    return add_blocks(batch, {kernels_.forward, kernels_.backward, kernels_.add_gradient},
                      sum.data(), worker);
  }
  Tally add_gradient(const Batch& batch, std::span<float> sum, std::size_t worker) override {
    return add_blocks(batch,
                      {kernels_.free_forward, kernels_.free_backward, kernels_.add_free_gradient},
                      sum.data(), worker);
  }
  Tally evaluate(const Batch& batch, std::span<float> probabilities, std::size_t worker) override;
  EngineSeconds seconds(std::size_t worker) const override { return seconds_[worker].value; }
  std::string name() const override { return "simd"; }
  std::string isa() const override { return kernels_.isa; }

 private:
  template <typename Sum>
  struct Passes {
    decltype(Kernels::forward) forward;
    decltype(Kernels::backward) backward;
    std::uint32_t (*add_gradient)(const Layout&, std::size_t, Workspace&, float, Sum*);
  };

  template <typename Sum>
  Tally add_blocks(const Batch& batch, const Passes<Sum>& passes, Sum* sum, std::size_t worker);

  /// Runs the forward pass of a block; its probabilities are then in `ws.dlogits`.
  Tally forward(const Batch& batch, decltype(Kernels::forward) pass, std::size_t first,
                std::size_t n, Workspace& ws) const;

  const Kernels& kernels_;
  Layout layout_;
  float limit_;
  Weights weights_;
  std::deque<Workspace> workspaces_;
  struct alignas(64) Seconds {  // on a line of its own: its worker writes it in every block
    EngineSeconds value;
  };
  std::vector<Seconds> seconds_;
};

Tally SimdEngine::forward(const Batch& batch, decltype(Kernels::forward) pass, std::size_t first,
                          std::size_t n, Workspace& ws) const {
  const std::size_t picture = layout_.picture();
  for (std::size_t s = 0; s < n; ++s) {
    std::memcpy(&ws.pixels[s * picture], batch.pictures[first + s], picture);
  }
  pass(layout_, weights_, n, ws);
  return kernels_.loss(layout_, n, &batch.labels[first], ws);
}

template <typename Sum>
Tally SimdEngine::add_blocks(const Batch& batch, const Passes<Sum>& passes, Sum* sum,
                             std::size_t worker) {
  Workspace& ws = workspaces_[worker];
  EngineSeconds& seconds = seconds_[worker].value;
  Tally tally;
  double before = seconds_now();
  const auto lap = [&before](double& part) {
    const double now = seconds_now();
    part += now - std::exchange(before, now);
  };
  for (std::size_t first = 0; first < batch.size(); first += block_samples) {
    const std::size_t n = std::min(block_samples, batch.size() - first);
    tally += forward(batch, passes.forward, first, n, ws);
    lap(seconds.forward);
    for (std::size_t s = 0; s < n; ++s) {
      ws.dlogits[s * layout_.classes + batch.labels[first + s]] -= 1.0f;
    }
    passes.backward(layout_, weights_, n, ws);
    lap(seconds.backward);
    tally.invalid |= passes.add_gradient(layout_, n, ws, limit_, sum);
    lap(seconds.gradient);
  }
  return tally;
}

Tally SimdEngine::evaluate(const Batch& batch, std::span<float> probabilities, std::size_t worker) {
  Workspace& ws = workspaces_[worker];
  const std::size_t classes = layout_.shape.classes;
  Tally tally;
  for (std::size_t first = 0; first < batch.size(); first += block_samples) {
    const std::size_t n = std::min(block_samples, batch.size() - first);
    tally += forward(batch, kernels_.forward, first, n, ws);
    if (probabilities.empty()) continue;
    for (std::size_t s = 0; s < n; ++s) {
      std::copy_n(&ws.dlogits[s * layout_.classes], classes, &probabilities[(first + s) * classes]);
    }
  }
  return tally;
}

}  // namespace

std::unique_ptr<Engine> make_simd_engine(const EngineConfig& config, const ModelShape& shape) {
  return std::make_unique<SimdEngine>(config, shape);
}

std::unique_ptr<FreeOrderEngine> make_free_order_engine(const EngineConfig& config,
                                                        const ModelShape& shape) {
  return std::make_unique<SimdEngine>(config, shape);
}

std::vector<std::string> supported_isas() {
  std::vector<std::string> names;
  for (const Kernels* kernels : simd::supported_kernels()) names.emplace_back(kernels->isa);
  return names;
}

}  // namespace lockstep
