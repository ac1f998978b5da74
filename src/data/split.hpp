#pragma once

#include <cstddef>

namespace lockstep {

/// How many pictures of a training file are for validation; they come first. TensorFlow's
/// read_data_sets takes 5,000 of MNIST's 60,000.
constexpr std::size_t validation_part(std::size_t training_file_size) noexcept {
  return training_file_size / 12;
}

}  // namespace lockstep
