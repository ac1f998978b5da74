#pragma once

#include <cstdint>
#include <span>

#include <lockstep/model/shape.hpp>

namespace lockstep {

/// How the recurrent rows of the kernel start.
enum class RecurrentInit {
  glorot,    // as the rest of the kernel
  identity,  // the identity matrix (Le, Jaitly and Hinton, arXiv:1504.00941)
};

/// Fills `parameters` [parameter_count(shape)]: Glorot uniform (Glorot and Bengio, AISTATS 2010),
/// in the bounds +-sqrt(6 / (fan_in + fan_out)) of each kernel as TensorFlow counts them, zero
/// biases. A function of (shape, seed, recurrent) alone.
void initialise(const ModelShape& shape, std::uint64_t seed, RecurrentInit recurrent,
                std::span<float> parameters);

}  // namespace lockstep
