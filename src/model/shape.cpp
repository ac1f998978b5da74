#include <lockstep/model/shape.hpp>

namespace lockstep {

std::array<Tensor, tensor_count> tensors(const ModelShape& shape) noexcept {
  const std::size_t inputs = shape.columns + shape.hidden;
  const std::size_t bias = inputs * shape.hidden;
  const std::size_t head = bias + shape.hidden;
  const std::size_t head_bias = head + shape.hidden * shape.classes;
  return {Tensor{"kernel", 0, inputs, shape.hidden}, Tensor{"bias", bias, 1, shape.hidden},
          Tensor{"head kernel", head, shape.hidden, shape.classes},
          Tensor{"head bias", head_bias, 1, shape.classes}};
}

std::size_t parameter_count(const ModelShape& shape) noexcept {
  const Tensor last = tensors(shape).back();
  return last.offset + last.size();
}

}  // namespace lockstep
