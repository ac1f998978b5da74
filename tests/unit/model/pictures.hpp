#pragma once

#include <cstdint>
#include <vector>

#include <lockstep/core/random.hpp>
#include <lockstep/data/batch.hpp>
#include <lockstep/model/initialiser.hpp>

namespace lockstep {

enum class Ink { some, everywhere };

/// Made pictures with MNIST's habits: blank rows above, a fifth of the rest inked; or with every
/// pixel inked.
class Pictures {
 public:
  Pictures(const ModelShape& shape, std::size_t count, std::uint64_t seed = 1,
           Ink where = Ink::some)
      : shape_(shape) {
    const Random random(seed, Stream::synthetic);
    const std::size_t size = shape.rows * shape.columns;
    pixels_.resize(count * size);
    for (std::size_t i = 0; i < count; ++i) {
      const auto [blank, label, unused, unused2] = random.block(i);
      labels_.push_back(static_cast<std::uint8_t>(label % shape.classes));
      const std::size_t first = blank % (shape.rows / 2 + 1) * shape.columns;
      for (std::size_t p = 0; p < size; ++p) {
        const auto [ink, value, u, v] = random.block(count + i * size + p);
        std::uint8_t& pixel = pixels_[i * size + p];
        if (where == Ink::everywhere) pixel = static_cast<std::uint8_t>(1 + value % 255);
        if (where == Ink::some && p >= first && ink % 5 == 0) {
          pixel = static_cast<std::uint8_t>(value % 256);
        }
      }
      pointers_.push_back(&pixels_[i * size]);
    }
  }
  Pictures(const Pictures&) = delete;

  Batch batch() const { return {shape_.rows, shape_.columns, pointers_, labels_}; }

 private:
  ModelShape shape_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
  std::vector<const std::uint8_t*> pointers_;
};

/// Initial parameters whose biases are not zero, so that their part is tested too.
inline std::vector<float> some_parameters(const ModelShape& shape, std::uint64_t seed = 1) {
  std::vector<float> parameters(parameter_count(shape));
  initialise(shape, seed, RecurrentInit::glorot, parameters);
  const Random random(seed, Stream::synthetic, 1);
  for (const Tensor& t : tensors(shape)) {
    if (t.rows != 1) continue;
    for (std::size_t i = t.offset; i < t.offset + t.size(); ++i) {
      parameters[i] = 0.2f * (random.uniform(i) - 0.5f);
    }
  }
  return parameters;
}

}  // namespace lockstep
