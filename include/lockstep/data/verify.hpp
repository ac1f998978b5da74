#pragma once

#include <string>
#include <vector>

#include <lockstep/data/dataset.hpp>

namespace lockstep {

/// One of the four files, by its uncompressed content.
struct FileCheck {
  std::string path;
  std::string sha256;
  std::string set;  // the published set whose file this is, byte for byte, or "unknown"
};

/// Which data set a folder holds.
struct DataCheck {
  std::string set;  // "mnist" or "fashion-mnist" if all four files are; "synthetic"; "unknown"
  std::vector<FileCheck>
      files;  // training pictures, labels, test pictures, labels; none if synthetic
};

/// Reads all of all files. Error (data) if one is missing or damaged in itself.
DataCheck verify_data(const DataConfig& config);

}  // namespace lockstep
