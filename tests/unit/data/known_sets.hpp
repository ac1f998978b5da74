#pragma once

#include <cstdlib>
#include <filesystem>

namespace lockstep {

/// $LOCKSTEP_DATA or data/mnist of the source, if it is there.
inline std::filesystem::path mnist_folder() {
  const char* const folder = std::getenv("LOCKSTEP_DATA");
  if (folder != nullptr) return folder;
  return std::filesystem::path(LOCKSTEP_SOURCE_DIR) / "data/mnist";
}

/// Where Debian's package dataset-fashion-mnist puts it.
inline std::filesystem::path fashion_mnist_folder() {
  return "/usr/share/datasets/fashion-mnist";
}

}  // namespace lockstep
