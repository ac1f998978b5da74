#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <lockstep/model/shape.hpp>

namespace lockstep {

/// Compares the weights of several runs, epoch by epoch, with those of the first.
class ParityCheck {
 public:
  explicit ParityCheck(const ModelShape& shape) : shape_(shape) {}

  /// The next run begins, on so many ranks.
  void begin(std::size_t ranks);
  /// Its parameters [parameter_count(shape)] after `epoch`, which counts from 1.
  void add(std::size_t epoch, std::span<const float> parameters);

  /// Empty if all had the same bits; else where the first run that differs did so first.
  const std::string& difference() const noexcept { return difference_; }

 private:
  ModelShape shape_;
  std::size_t ranks_ = 0;
  std::size_t first_ranks_ = 0;
  std::vector<std::vector<float>> first_run_;  // by epoch
  std::string difference_;
};

}  // namespace lockstep
