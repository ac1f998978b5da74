#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <lockstep/data/image_style.hpp>
#include <lockstep/model/shape.hpp>
#include <lockstep/train/training_state.hpp>

namespace lockstep {

/// All that a run needs to go on from a step with the bits of an unbroken one, and what tells
/// whether it may.
struct Checkpoint {
  ModelShape shape;
  TrainingState state;

  std::uint64_t seed = 0;
  std::map<std::string, std::string> recipe;  // the options that decide the bits, by name
  std::uint64_t arithmetic = 0;
  std::string data;                  // the data set's name
  std::string data_sha256;           // of the training files, see DataHashes::training
  std::optional<ImageStyle> images;  // see Model

  std::uint64_t restarts = 0;  // how often the training was resumed before
  double seconds = 0;          // of training so far
  double validation_loss = 0;  // after the last whole epoch, if there was one
  double validation_accuracy = 0;
  std::uint64_t best_step = 0;  // of the checkpoint with the least validation loss; 0: none yet
  double best_loss = 0;
};

/// Writes a safetensors file, whole or not at all. It is a model file too (see write_model), so
/// that it can be evaluated and inspected, and has besides:
///   tensors   exp_avg.<name>, exp_avg_sq.<name>: Adam's moments of each of the model's tensors,
///             under the names that torch.optim.Adam gives them
///   metadata  option.<name> for each entry of `recipe`; data_sha256, restarts, seconds,
///             validation_loss, validation_accuracy, best_step, best_loss;
///             seal: SHA-256 over all bytes of the file (store/sealed_tensors.hpp)
/// Throws Error (store).
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws Error (store) for a file that is no whole checkpoint, to the last byte as it was written.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace lockstep
