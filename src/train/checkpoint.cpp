#include <lockstep/train/checkpoint.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <lockstep/model/engine.hpp>
#include <lockstep/store/sealed_tensors.hpp>

#include "metadata.hpp"
#include "model_tensors.hpp"

namespace lockstep {
namespace {

constexpr const char* first_prefix = "exp_avg.";
constexpr const char* second_prefix = "exp_avg_sq.";
const std::string option_prefix = "option.";

Model model_of(const Checkpoint& checkpoint) {
  const std::vector<float>& parameters = checkpoint.state.parameters;
  Model model{checkpoint.shape, Buffer<float>(parameters.size()),
              checkpoint.seed,  checkpoint.state.step,
              checkpoint.data,  checkpoint.images};
  std::ranges::copy(parameters, model.parameters.data());
  return model;
}

void add_metadata(std::map<std::string, std::string>& metadata, const Checkpoint& checkpoint) {
  for (const auto& [name, value] : checkpoint.recipe) metadata[option_prefix + name] = value;
  metadata["arithmetic"] = std::to_string(checkpoint.arithmetic);
  metadata["data_sha256"] = checkpoint.data_sha256;
  metadata["restarts"] = std::to_string(checkpoint.restarts);
  metadata["seconds"] = fmt::format("{}", checkpoint.seconds);
  metadata["validation_loss"] = fmt::format("{}", checkpoint.validation_loss);
  metadata["validation_accuracy"] = fmt::format("{}", checkpoint.validation_accuracy);
  metadata["best_step"] = std::to_string(checkpoint.best_step);
  metadata["best_loss"] = fmt::format("{}", checkpoint.best_loss);
}

void read_metadata(const TensorFile& file, Checkpoint& checkpoint) {
  for (const auto& [key, value] : file.metadata) {
    if (key.starts_with(option_prefix)) {
      checkpoint.recipe[key.substr(option_prefix.size())] = value;
    }
  }
  checkpoint.arithmetic = metadata_whole(file, "arithmetic", UINT64_MAX);
  checkpoint.data_sha256 = metadata_text(file, "data_sha256");
  checkpoint.restarts = metadata_whole(file, "restarts", UINT64_MAX);
  checkpoint.seconds = metadata_real(file, "seconds");
  checkpoint.validation_loss = metadata_real(file, "validation_loss");
  checkpoint.validation_accuracy = metadata_real(file, "validation_accuracy");
  checkpoint.best_step = metadata_whole(file, "best_step", UINT64_MAX);
  checkpoint.best_loss = metadata_real(file, "best_loss");
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  TensorFile file = to_tensor_file(model_of(checkpoint));
  add_tensors(file, first_prefix, checkpoint.shape, checkpoint.state.first_moment);
  add_tensors(file, second_prefix, checkpoint.shape, checkpoint.state.second_moment);
  add_metadata(file.metadata, checkpoint);
  write_sealed(path, std::move(file));
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const TensorFile file = read_sealed(path);
  const Model model = to_model(file);
  Checkpoint checkpoint;
  checkpoint.shape = model.shape;
  checkpoint.seed = model.seed;
  checkpoint.data = model.data;
  checkpoint.images = model.images;
  checkpoint.state.step = model.steps;
  checkpoint.state.parameters.assign(model.parameters.data(),
                                     model.parameters.data() + model.parameters.size());
  checkpoint.state.first_moment = find_block(file, first_prefix, model.shape);
  checkpoint.state.second_moment = find_block(file, second_prefix, model.shape);
  read_metadata(file, checkpoint);
  return checkpoint;
}

}  // namespace lockstep
