#pragma once

#include <cstdint>

namespace lockstep {

// Functions of fp64 made of IEEE additions, multiplications and divisions only: the C library's
// differ from machine to machine in their last bits. Errors below 1e-15.

/// cos(pi x) for 0 <= x <= 1, by the Taylor series of the sine about x = 1/2.
double cos_pi(double x) noexcept;

/// base^exponent by repeated squaring.
double power(double base, std::uint64_t exponent) noexcept;

}  // namespace lockstep
