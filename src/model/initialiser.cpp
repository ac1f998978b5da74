#include <lockstep/model/initialiser.hpp>

#include <algorithm>
#include <cmath>

#include <lockstep/core/random.hpp>

namespace lockstep {
namespace {

/// Uniform in +-sqrt(6 / (fan_in + fan_out)); value i of the block is number i of the stream.
void glorot_uniform(const Tensor& tensor, const Random& random, std::span<float> parameters) {
  const float bound = std::sqrt(6.0f / static_cast<float>(tensor.rows + tensor.columns));
  for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size(); ++i) {
    parameters[i] = bound * (2.0f * random.uniform(i) - 1.0f);
  }
}

void identity_rows(const Tensor& kernel, std::size_t first_row, std::span<float> parameters) {
  for (std::size_t row = first_row; row < kernel.rows; ++row) {
    const auto values = parameters.subspan(kernel.offset + row * kernel.columns, kernel.columns);
    std::ranges::fill(values, 0.0f);
    values[row - first_row] = 1.0f;
  }
}

}  // namespace

void initialise(const ModelShape& shape, std::uint64_t seed, RecurrentInit recurrent,
                std::span<float> parameters) {
  const auto [kernel, bias, head, head_bias] = tensors(shape);
  const Random random(seed, Stream::weights);
  std::ranges::fill(parameters, 0.0f);
  glorot_uniform(kernel, random, parameters);
  glorot_uniform(head, random, parameters);
  if (recurrent == RecurrentInit::identity) identity_rows(kernel, shape.columns, parameters);
}

}  // namespace lockstep
