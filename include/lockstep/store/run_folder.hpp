#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <lockstep/store/folder_lock.hpp>

namespace lockstep {

/// What a run came to; summary.json, written last, is the mark of a finished run.
struct Summary {
  double test_loss = 0;
  double test_accuracy = 0;
  double validation_loss = 0;
  double validation_accuracy = 0;
  std::string weights_sha256;
  std::uint64_t steps = 0;
  std::size_t world_size = 1;
  std::size_t restarts = 0;
  std::size_t ranks_lost = 0;
  double seconds = 0;
  double samples_per_second = 0;
  int arithmetic = 0;
  std::string engine;
  std::string isa;
  std::string communicator;
  std::string data;
  bool synthetic = false;
};

/// The folder that holds all files of a run, locked for it. Every failure is Error (store).
class RunFolder {
 public:
  /// Makes the folder, with its parents. Refuses one that holds a finished run, one that another
  /// run is using, and one that can't be written to.
  static RunFolder create(const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Writes a file whole or not at all.
  void write(const std::string& name, const std::string& text) const;
  /// Writes summary.json. A figure that is not finite becomes null.
  void finish(const Summary& summary) const;

 private:
  explicit RunFolder(const std::filesystem::path& path) : path_(path), lock_(path) {}
  std::filesystem::path path_;
  FolderLock lock_;
};

/// The model file that a user's argument means: RUN/model.safetensors for a run folder, else the
/// file.
std::filesystem::path model_path(const std::filesystem::path& run_or_file);

}  // namespace lockstep
