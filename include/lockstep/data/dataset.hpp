#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep {

/// Where the pictures come from.
struct DataConfig {
  /// A folder with the four IDX files, plain or .gz; `synthetic` for made digits without files;
  /// empty: $LOCKSTEP_DATA, then ./data/mnist.
  std::string data;
};

/// Pictures with labels, owned. Picture i is pixels[i * rows * columns ...].
struct Samples {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;

  std::size_t size() const noexcept { return labels.size(); }
  const std::uint8_t* picture(std::size_t i) const noexcept {
    return pixels.data() + i * rows * columns;
  }
};

/// What tells the content of a data set apart: SHA-256 over uncompressed files, the same for plain
/// and gz, and for made digits with or without files.
struct DataHashes {
  std::string training;              // over the training images' file, then the labels' file
  std::array<std::string, 4> files;  // training images, training labels, test images, test labels
};

/// A training set and a test set, split as TensorFlow's read_data_sets: the first twelfth of the
/// training file (5,000 of MNIST's 60,000) is for validation, the rest for training.
/// Every failure is Error (data) and names the file and the way out. Not for several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::string name() const = 0;  // the folder as given, or "synthetic"
  virtual bool synthetic() const noexcept = 0;
  virtual std::size_t rows() const noexcept = 0;
  virtual std::size_t columns() const noexcept = 0;
  virtual std::size_t training_size() const noexcept = 0;
  virtual std::size_t validation_size() const noexcept = 0;
  virtual std::size_t test_size() const noexcept = 0;

  /// One more than the largest label of the training file; reads all labels, and throws if a class
  /// below has no picture or if the test set has a label that training has not.
  virtual std::size_t classes() = 0;

  /// `count` training pictures from `first` (counted in the training part). Reads no picture of
  /// others (of a .gz file, keeps no other).
  virtual Samples training(std::size_t first, std::size_t count) = 0;
  virtual Samples validation(std::size_t first, std::size_t count) = 0;
  virtual Samples test(std::size_t first, std::size_t count) = 0;

  /// The same for two processes of one host only if they read the very same files.
  virtual std::string identity() const = 0;

  /// A function that computes the hashes. It reads all files, but for those that were unpacked
  /// before hasher() was called. It may run in another thread, beside all other calls, and after
  /// the data set is gone.
  virtual std::function<DataHashes()> hasher() const = 0;

  /// Bytes of pictures and labels read from files so far, headers left out.
  virtual std::uint64_t bytes_read() const noexcept = 0;
};

/// Opens the data set and checks its headers (magic, sizes against the files' lengths, counts of
/// images and labels). Reads no picture.
std::unique_ptr<Dataset> open_dataset(const DataConfig& config);

}  // namespace lockstep
