#pragma once

#include <filesystem>

#include <lockstep/data/dataset.hpp>

namespace lockstep {

/// Writes the four IDX files, uncompressed and under MNIST's names, into `folder`, which is made if
/// need be; each file appears whole or not at all. Of `training_file` the first twelfth is for
/// validation. Error (data) if the folder or a file cannot be written.
void write_dataset(const std::filesystem::path& folder, const Samples& training_file,
                   const Samples& test);

/// Writes the made digits of `--data synthetic`; training on the folder gives the same weights.
void write_synthetic(const std::filesystem::path& folder);

}  // namespace lockstep
