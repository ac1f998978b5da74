#pragma once

#include <filesystem>

#include <lockstep/data/dataset.hpp>

namespace lockstep {

/// Where the four files of a data set lie.
struct DataFiles {
  std::filesystem::path train_images;
  std::filesystem::path train_labels;
  std::filesystem::path test_images;
  std::filesystem::path test_labels;
};

inline constexpr const char* synthetic_name = "synthetic";
inline bool is_synthetic(const DataConfig& config) {
  return config.data == synthetic_name;
}

/// The folder that a config without files' names means: its own, $LOCKSTEP_DATA, ./data/mnist.
/// Throws Error (data), with the ways out, where it is no folder.
std::filesystem::path find_data_folder(const DataConfig& config);

/// MNIST's names, with a hyphen or a dot before `idx`, plain or with .gz. Throws Error (data) that
/// names the first that is missing.
DataFiles find_data_files(const std::filesystem::path& folder);

}  // namespace lockstep
