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

/// SHA-256 over the uncompressed training pictures' file, then the labels' file: the same for plain
/// and gz, and for made digits with or without files. Reads both files (MNIST: some 0.2 s).
std::string data_sha256(const DataConfig& config);

}  // namespace lockstep
