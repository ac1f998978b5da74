#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <lockstep/train/checkpoint.hpp>

namespace lockstep {

/// The checkpoints of a run, RUN/checkpoints/step-00000429.safetensors: the newest ones, and the
/// best by validation loss.
class CheckpointFolder {
 public:
  /// `keep`: how many of the newest.
  CheckpointFolder(const std::filesystem::path& run, std::size_t keep)
      : path_(run / "checkpoints"), keep_(keep) {}

  std::filesystem::path file(std::uint64_t step) const;
  /// By the steps in their names, the highest first; whether they are whole is not looked at.
  std::vector<std::filesystem::path> newest_first() const;

  /// Writes it, and then removes those that are not to be kept: the ones of later steps, and of the
  /// earlier ones all but the newest and `best_step`. Throws Error (store).
  void save(const Checkpoint& checkpoint) const;
  /// Removes those of later steps, and what a killed process left half-written.
  void remove_after(std::uint64_t step) const;

 private:
  std::filesystem::path path_;
  std::size_t keep_;
};

}  // namespace lockstep
