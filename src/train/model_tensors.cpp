#include "model_tensors.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "metadata.hpp"

namespace lockstep {
namespace {

/// [rows][columns] becomes [columns][rows]: TensorFlow keeps kernels input first, PyTorch output
/// first.
std::vector<float> transposed(std::span<const float> values, std::size_t rows,
                              std::size_t columns) {
  constexpr std::size_t strip = 16;  // columns at a time, so that what they become stays in L1
  std::vector<float> result(values.size());
  for (std::size_t begin = 0; begin < columns; begin += strip) {
    const std::size_t end = std::min(begin + strip, columns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = begin; j < end; ++j) result[j * rows + i] = values[i * columns + j];
    }
  }
  return result;
}

/// The parts of the flat block, by the names that PyTorch gives them.
struct Parts {
  Parts(const ModelShape& shape, std::span<float> block) {
    const auto tensor = tensors(shape);
    const auto part = [&](std::size_t i) {
      return block.subspan(tensor[i].offset, tensor[i].size());
    };
    weight_ih = part(0).first(shape.columns * shape.hidden);
    weight_hh = part(0).last(shape.hidden * shape.hidden);
    bias_ih = part(1);
    head_weight = part(2);
    head_bias = part(3);
  }
  std::span<float> weight_ih, weight_hh, bias_ih, head_weight, head_bias;
};

}  // namespace

void add_tensors(TensorFile& file, const std::string& prefix, const ModelShape& shape,
                 std::span<const float> block) {
  std::vector<float> values(block.begin(), block.end());
  const Parts parts(shape, values);
  const auto [rows, columns, hidden, classes] = shape;
  const auto add = [&](const char* name, std::vector<std::size_t> sides, std::vector<float> part) {
    file.tensors.push_back({prefix + name, std::move(sides), std::move(part)});
  };
  const auto copy = [](std::span<float> s) { return std::vector<float>(s.begin(), s.end()); };
  add("rnn.weight_ih_l0", {hidden, columns}, transposed(parts.weight_ih, columns, hidden));
  add("rnn.weight_hh_l0", {hidden, hidden}, transposed(parts.weight_hh, hidden, hidden));
  add("rnn.bias_ih_l0", {hidden}, copy(parts.bias_ih));
  add("rnn.bias_hh_l0", {hidden}, std::vector<float>(hidden));
  add("head.weight", {classes, hidden}, transposed(parts.head_weight, hidden, classes));
  add("head.bias", {classes}, copy(parts.head_bias));
}

/// Looks all tensors up before it makes room: the sizes are only claims until then.
std::vector<float> find_block(const TensorFile& file, const std::string& prefix,
                              const ModelShape& shape) {
  const auto [rows, columns, hidden, classes] = shape;
  const auto& weight_ih = file.find(prefix + "rnn.weight_ih_l0", {hidden, columns}).values;
  const auto& weight_hh = file.find(prefix + "rnn.weight_hh_l0", {hidden, hidden}).values;
  const auto& bias_ih = file.find(prefix + "rnn.bias_ih_l0", {hidden}).values;
  const auto& bias_hh = file.find(prefix + "rnn.bias_hh_l0", {hidden}).values;
  const auto& head_weight = file.find(prefix + "head.weight", {classes, hidden}).values;
  const auto& head_bias = file.find(prefix + "head.bias", {classes}).values;
  if (std::ranges::any_of(bias_hh, [](float value) { return value != 0; })) {
    fail_as_model(file, prefix + "rnn.bias_hh_l0 is not zero");
  }
  std::vector<float> block(parameter_count(shape));
  const Parts parts(shape, block);
  std::ranges::copy(transposed(weight_ih, hidden, columns), parts.weight_ih.begin());
  std::ranges::copy(transposed(weight_hh, hidden, hidden), parts.weight_hh.begin());
  std::ranges::copy(bias_ih, parts.bias_ih.begin());
  std::ranges::copy(transposed(head_weight, classes, hidden), parts.head_weight.begin());
  std::ranges::copy(head_bias, parts.head_bias.begin());
  return block;
}

}  // namespace lockstep
