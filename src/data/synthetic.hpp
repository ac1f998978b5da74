#pragma once

#include <lockstep/data/dataset.hpp>

#include "data_files.hpp"
#include "split.hpp"

namespace lockstep {

/// Made digits: ten figures of strokes, each picture with its own shift, size, slant, wobble, pen
/// and noise. Picture i is a function of i alone, with the same bytes on every machine.
class SyntheticDataset final : public Dataset {
 public:
  static constexpr std::size_t side = 28;
  static constexpr std::size_t training_file_size = 6000;
  static constexpr std::size_t test_file_size = 1000;

  std::string name() const override { return synthetic_name; }
  bool synthetic() const noexcept override { return true; }
  std::size_t rows() const noexcept override { return side; }
  std::size_t columns() const noexcept override { return side; }
  std::size_t training_size() const noexcept override {
    return training_file_size - validation_size();
  }
  std::size_t validation_size() const noexcept override {
    return validation_part(training_file_size);
  }
  std::size_t test_size() const noexcept override { return test_file_size; }
  std::size_t classes() override { return 10; }
  Samples training(std::size_t first, std::size_t count) override;
  Samples validation(std::size_t first, std::size_t count) override;
  Samples test(std::size_t first, std::size_t count) override;
  std::string identity() const override { return synthetic_name; }
  std::function<DataHashes()> hasher() const override;
  std::uint64_t bytes_read() const noexcept override { return 0; }

  /// What a training file with validation and training part would hold.
  static Samples training_file();
};

}  // namespace lockstep
