#pragma once

#include <lockstep/model/engine.hpp>
#include <lockstep/train/checkpoint.hpp>

namespace lockstep {

/// A small checkpoint in which every number differs from every other.
inline Checkpoint some_checkpoint(std::uint64_t step) {
  Checkpoint c;
  c.shape = {2, 3, 2, 2};
  const std::size_t n = parameter_count(c.shape);
  c.state.step = step;
  for (std::size_t i = 0; i < n; ++i) {
    c.state.parameters.push_back(static_cast<float>(i) + 0.5f);
    c.state.first_moment.push_back(-static_cast<float>(i) * 1e-3f);
    c.state.second_moment.push_back(static_cast<float>(i) * 1e-42f);  // subnormal
  }
  c.seed = 18446744073709551615u;
  c.recipe = {{"hidden", "2"}, {"seed", "18446744073709551615"}};
  c.arithmetic = 1;
  c.data = "a \"folder\"";
  c.data_sha256 = "ab12";
  c.images = {.background = 3, .ink = 250, .extent = 0.1 + 0.2, .centred = false, .strokes = true};
  c.restarts = 3;
  c.seconds = 0.1 + 0.2;
  c.validation_loss = 1e-300;
  c.validation_accuracy = 2.0 / 3.0;
  c.best_step = 7;
  c.best_loss = 1.0 / 3.0;
  return c;
}

}  // namespace lockstep
