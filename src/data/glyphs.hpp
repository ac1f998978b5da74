#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/core/random.hpp>

namespace lockstep {

/// Draws the digit in a square picture of side x side bytes that is all 0, in a hand that belongs
/// to `random`. Only + - * / and square roots: the same bytes on every machine.
void draw_digit(std::size_t digit, const Random& random, std::size_t side,
                std::span<std::uint8_t> picture);

}  // namespace lockstep
