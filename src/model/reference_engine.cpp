#include "reference_engine.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <lockstep/core/clones.hpp>
#include <lockstep/core/fixed_point.hpp>

#include "arithmetic.hpp"

namespace lockstep {
namespace {

/// out[j] = fma(a[k], w[k][j], out[j]) for k from begin to end, one after another.
LOCKSTEP_CLONES
void chain(const float* a, const float* w, std::size_t begin, std::size_t end, std::size_t width,
           float* out) {
  for (std::size_t k = begin; k < end; ++k) {
    for (std::size_t j = 0; j < width; ++j) {
      out[j] = std::fma(a[k], w[k * width + j], out[j]);
    }
  }
}

/// out += a w for w [n][width]: four chains over the quarters of n, the first from `out` itself and
/// the others from zero, added pairwise.
void add_product(const float* a, const float* w, std::size_t n, std::size_t width, float* out) {
  const std::size_t q = arithmetic::quarter(n);
  std::vector<float> parts(3 * width);
  chain(a, w, 0, std::min(q, n), width, out);
  for (std::size_t i = 1; i < 4; ++i) {
    chain(a, w, std::min(i * q, n), std::min((i + 1) * q, n), width, &parts[(i - 1) * width]);
  }
  for (std::size_t j = 0; j < width; ++j) {
    out[j] = (out[j] + parts[j]) + (parts[width + j] + parts[2 * width + j]);
  }
}

/// gradient[i][j] = fma(a[i], b[j], gradient[i][j]).
void add_outer(const float* a, std::size_t n, const float* b, std::size_t width, float* gradient) {
  for (std::size_t i = 0; i < n; ++i) chain(a + i, b, 0, 1, width, gradient + i * width);
}

std::vector<float> transposed(const float* w, std::size_t rows, std::size_t columns) {
  std::vector<float> result(rows * columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) result[c * rows + r] = w[r * columns + c];
  }
  return result;
}

/// What the forward pass of one sample leaves behind.
struct Sample {
  std::vector<float> x;       // [rows][columns]
  std::vector<float> states;  // [rows + 1][hidden], the first is zero
  std::vector<float> logits;
  std::vector<float> probabilities;
  std::vector<float> dz;  // [rows][hidden]: the loss's derivatives by the tanhs' arguments
  float loss = 0;
  bool correct = false;
};

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(const EngineConfig& config, const ModelShape& shape)
      : shape_(shape), limit_(config.limit), parameters_(parameter_count(shape)) {}

  void set_parameters(std::span<const float> parameters) override;
  Tally add_gradient(const Batch& batch, std::span<std::int64_t> sum, std::size_t) override;
  Tally evaluate(const Batch& batch, std::span<float> probabilities, std::size_t) override;
  std::string name() const override { return "reference"; }
  std::string isa() const override { return "scalar"; }

 private:
  const float* recurrent() const { return kernel() + shape_.columns * shape_.hidden; }
  const float* kernel() const { return parameters_.data(); }
  const float* tensor(std::size_t i) const { return kernel() + tensors(shape_)[i].offset; }

  Sample forward(const std::uint8_t* picture, std::size_t label) const;
  void backward(Sample& sample, std::size_t label) const;
  std::vector<float> block_gradient(std::vector<Sample>& block) const;
  std::uint32_t add_fixed(const std::vector<float>& gradient, std::span<std::int64_t> sum) const;

  ModelShape shape_;
  float limit_;
  std::vector<float> parameters_;
  std::vector<float> recurrent_transposed_;
  std::vector<float> head_transposed_;
};

void ReferenceEngine::set_parameters(std::span<const float> parameters) {
  parameters_.assign(parameters.begin(), parameters.end());
  recurrent_transposed_ = transposed(recurrent(), shape_.hidden, shape_.hidden);
  head_transposed_ = transposed(tensor(2), shape_.hidden, shape_.classes);
}

Sample ReferenceEngine::forward(const std::uint8_t* picture, std::size_t label) const {
  const auto [rows, columns, hidden, classes] = shape_;
  Sample s;
  s.x.resize(rows * columns);
  std::transform(picture, picture + s.x.size(), s.x.begin(),
                 [](std::uint8_t ink) { return arithmetic::pixel(ink); });
  s.states.resize((rows + 1) * hidden);
  for (std::size_t t = 0; t < rows; ++t) {
    float* z = &s.states[(t + 1) * hidden];
    std::copy_n(tensor(1), hidden, z);
    chain(&s.x[t * columns], kernel(), 0, columns, hidden, z);
    add_product(&s.states[t * hidden], recurrent(), hidden, hidden, z);
    std::transform(z, z + hidden, z, [](float value) { return arithmetic::tanh(value); });
  }
  s.logits.assign(tensor(3), tensor(3) + classes);
  add_product(&s.states[rows * hidden], tensor(2), hidden, classes, s.logits.data());
  s.probabilities.resize(classes);
  std::size_t predicted = 0;
  s.loss = arithmetic::softmax_cross_entropy(s.logits.data(), classes, label,
                                             s.probabilities.data(), predicted);
  s.correct = predicted == label;
  return s;
}

void ReferenceEngine::backward(Sample& s, std::size_t label) const {
  const auto [rows, columns, hidden, classes] = shape_;
  s.probabilities[label] = s.probabilities[label] - 1.0f;  // now the derivatives by the logits
  s.dz.resize(rows * hidden);
  for (std::size_t t = rows; t-- > 0;) {
    float* dz = &s.dz[t * hidden];
    if (t + 1 == rows) {
      chain(s.probabilities.data(), head_transposed_.data(), 0, classes, hidden, dz);
    } else {
      add_product(dz + hidden, recurrent_transposed_.data(), hidden, hidden, dz);
    }
    const float* h = &s.states[(t + 1) * hidden];
    for (std::size_t j = 0; j < hidden; ++j) {
      dz[j] = dz[j] * arithmetic::tanh_slope(h[j]);
    }
  }
}

std::vector<float> ReferenceEngine::block_gradient(std::vector<Sample>& block) const {
  const auto [rows, columns, hidden, classes] = shape_;
  const auto [k, b, w, c] = tensors(shape_);
  const float one = 1.0f;
  std::vector<float> g(parameters_.size());
  for (std::size_t t = rows; t-- > 0;) {
    for (const Sample& s : block) {
      const float* dz = &s.dz[t * hidden];
      add_outer(&s.x[t * columns], columns, dz, hidden, &g[k.offset]);
      add_outer(&s.states[t * hidden], hidden, dz, hidden, &g[k.offset + columns * hidden]);
      add_outer(&one, 1, dz, hidden, &g[b.offset]);
    }
  }
  for (const Sample& s : block) {
    add_outer(&s.states[rows * hidden], hidden, s.probabilities.data(), classes, &g[w.offset]);
    add_outer(&one, 1, s.probabilities.data(), classes, &g[c.offset]);
  }
  return g;
}

std::uint32_t ReferenceEngine::add_fixed(const std::vector<float>& gradient,
                                         std::span<std::int64_t> sum) const {
  std::uint32_t invalid = 0;
  std::uint32_t bit = 1;
  for (const Tensor& tensor : tensors(shape_)) {
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size(); ++i) {
      if (std::abs(gradient[i]) < limit_) {
        sum[i] += to_fixed(gradient[i]);
      } else {
        invalid |= bit;
      }
    }
    bit <<= 1;
  }
  return invalid;
}

Tally ReferenceEngine::add_gradient(const Batch& batch, std::span<std::int64_t> sum, std::size_t) {
  Tally tally;
  for (std::size_t first = 0; first < batch.size(); first += block_samples) {
    std::vector<Sample> block;
    for (std::size_t i = first; i < std::min(first + block_samples, batch.size()); ++i) {
      block.push_back(forward(batch.pictures[i], batch.labels[i]));
      backward(block.back(), batch.labels[i]);
      tally += sample_tally(block.back().loss, block.back().correct);
    }
    tally.invalid |= add_fixed(block_gradient(block), sum);
  }
  return tally;
}

Tally ReferenceEngine::evaluate(const Batch& batch, std::span<float> probabilities, std::size_t) {
  Tally tally;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Sample sample = forward(batch.pictures[i], batch.labels[i]);
    tally += sample_tally(sample.loss, sample.correct);
    if (!probabilities.empty()) {
      std::ranges::copy(sample.probabilities, probabilities.begin() + i * shape_.classes);
    }
  }
  return tally;
}

}  // namespace

std::unique_ptr<Engine> make_reference_engine(const EngineConfig& config, const ModelShape& shape) {
  return std::make_unique<ReferenceEngine>(config, shape);
}

}  // namespace lockstep
