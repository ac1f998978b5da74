#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <lockstep/data/dataset.hpp>

namespace lockstep {

using Bytes = std::vector<std::uint8_t>;

/// A folder of its own for one test, removed with all it holds.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string folder() const { return folder_.string(); }

  void write(const std::string& name, std::span<const std::uint8_t> bytes) const;
  Bytes read(const std::string& name) const;
  /// Packs a file as NAME.gz and removes the file.
  void gzip(const std::string& name) const;
  void gzip_all() const;

 private:
  std::filesystem::path folder_;
};

/// Pictures of rows x columns whose bytes and labels (i % classes) tell them apart.
Samples counted_samples(std::size_t count, std::size_t rows, std::size_t columns,
                        std::size_t classes);

/// The text of the Error (data) that `action` throws; any other end fails the test.
std::string data_error_of(const std::function<void()>& action);

}  // namespace lockstep
