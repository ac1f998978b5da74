#include <lockstep/data/folder.hpp>

#include <fmt/format.h>

#include <array>

#include "errors.hpp"
#include "idx.hpp"
#include "synthetic.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

void write_pair(const fs::path& folder, const char* stem, const Samples& samples) {
  const std::array shape{samples.size(), samples.rows, samples.columns};
  write_idx(folder / fmt::format("{}-images-idx3-ubyte", stem), shape, samples.pixels);
  write_idx(folder / fmt::format("{}-labels-idx1-ubyte", stem), std::span(shape).first(1),
            samples.labels);
}

}  // namespace

void write_dataset(const fs::path& folder, const Samples& training_file, const Samples& test) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw data_error(
        folder, fmt::format("cannot be made a folder ({}); choose another place", error.message()));
  }
  write_pair(folder, "train", training_file);
  write_pair(folder, "t10k", test);
}

void write_synthetic(const fs::path& folder) {
  SyntheticDataset made;
  write_dataset(folder, SyntheticDataset::training_file(), made.test(0, made.test_size()));
}

}  // namespace lockstep
