#include <lockstep/train/model_file.hpp>

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>
#include <lockstep/core/sha256.hpp>
#include <lockstep/model/engine.hpp>

#include "image_metadata.hpp"
#include "metadata.hpp"
#include "model_tensors.hpp"

namespace lockstep {

namespace {

static_assert(std::endian::native == std::endian::little,
              "the SHA-256 is over little-endian bytes");

constexpr const char* format_name = "lockstep rnn";
constexpr std::uint64_t largest_side = 65536;

ModelShape read_shape(const TensorFile& file) {
  const ModelShape shape{
      metadata_whole(file, "rows", largest_side), metadata_whole(file, "columns", largest_side),
      metadata_whole(file, "hidden", largest_side), metadata_whole(file, "classes", 256)};
  if (shape.rows == 0 || shape.columns == 0 || shape.hidden == 0 || shape.classes == 0) {
    fail_as_model(file, "one of its sizes is 0");
  }
  return shape;
}

}  // namespace

std::string weights_sha256(std::span<const float> parameters) {
  return sha256_hex(std::as_bytes(parameters));
}

TensorFile to_tensor_file(const Model& model) {
  TensorFile file;
  add_tensors(file, "", model.shape, model.parameters.span());
  file.metadata = {
      {"format", format_name},
      {"lockstep", LOCKSTEP_VERSION},
      {"arithmetic", std::to_string(arithmetic_number)},
      {"rows", std::to_string(model.shape.rows)},
      {"columns", std::to_string(model.shape.columns)},
      {"hidden", std::to_string(model.shape.hidden)},
      {"classes", std::to_string(model.shape.classes)},
      {"seed", std::to_string(model.seed)},
      {"steps", std::to_string(model.steps)},
      {"data", model.data},
      {"weights_sha256", weights_sha256(model.parameters.span())},
  };
  if (model.images) add_image_style(file.metadata, *model.images);
  return file;
}

Model to_model(const TensorFile& file) {
  if (metadata_text(file, "format") != format_name) {
    fail_as_model(file, fmt::format("its format is not '{}'", format_name));
  }
  Model model;
  model.shape = read_shape(file);
  const std::vector<float> parameters = find_block(file, "", model.shape);
  model.parameters = Buffer<float>(parameters.size());
  std::ranges::copy(parameters, model.parameters.data());
  model.seed = metadata_whole(file, "seed", UINT64_MAX);
  model.steps = metadata_whole(file, "steps", UINT64_MAX);
  model.data = metadata_text(file, "data");
  model.images = find_image_style(file);
  if (weights_sha256(parameters) != metadata_text(file, "weights_sha256")) {
    fail_as_model(
        file, "its weights do not have the SHA-256 that it names, so it was changed or damaged");
  }
  return model;
}

void write_model(const std::filesystem::path& path, const Model& model) {
  write_tensors(path, to_tensor_file(model));
}

Model read_model(const std::filesystem::path& path) {
  return to_model(read_tensors(path));
}

}  // namespace lockstep
