#include <lockstep/train/model_file.hpp>

#include <algorithm>
#include <bit>
#include <charconv>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>
#include <lockstep/core/sha256.hpp>
#include <lockstep/model/engine.hpp>
#include <lockstep/store/safetensors.hpp>

namespace lockstep {

namespace {

static_assert(std::endian::native == std::endian::little,
              "the SHA-256 is over little-endian bytes");

constexpr const char* format_name = "lockstep rnn";
constexpr std::uint64_t largest_side = 65536;

/// [rows][columns] becomes [columns][rows]: TensorFlow keeps kernels input first, PyTorch output
/// first.
std::vector<float> transposed(std::span<const float> values, std::size_t rows,
                              std::size_t columns) {
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) result[j * rows + i] = values[i * columns + j];
  }
  return result;
}

/// The parts of the flat block, by the names that PyTorch gives them.
struct Parts {
  Parts(const ModelShape& shape, std::span<float> block) {
    const auto tensor = tensors(shape);
    const auto part = [&](std::size_t i) {
      return block.subspan(tensor[i].offset, tensor[i].size());
    };
    weight_ih = part(0).first(shape.columns * shape.hidden);
    weight_hh = part(0).last(shape.hidden * shape.hidden);
    bias_ih = part(1);
    head_weight = part(2);
    head_bias = part(3);
  }
  std::span<float> weight_ih, weight_hh, bias_ih, head_weight, head_bias;
};

TensorFile to_tensors(const ModelShape& shape, std::span<const float> parameters) {
  std::vector<float> block(parameters.begin(), parameters.end());
  const Parts parts(shape, block);
  const auto [rows, columns, hidden, classes] = shape;
  const auto copy = [](std::span<float> s) { return std::vector<float>(s.begin(), s.end()); };
  TensorFile file;
  file.tensors = {
      {"rnn.weight_ih_l0", {hidden, columns}, transposed(parts.weight_ih, columns, hidden)},
      {"rnn.weight_hh_l0", {hidden, hidden}, transposed(parts.weight_hh, hidden, hidden)},
      {"rnn.bias_ih_l0", {hidden}, copy(parts.bias_ih)},
      {"rnn.bias_hh_l0", {hidden}, std::vector<float>(hidden)},
      {"head.weight", {classes, hidden}, transposed(parts.head_weight, hidden, classes)},
      {"head.bias", {classes}, copy(parts.head_bias)},
  };
  return file;
}

[[noreturn]] void fail(const TensorFile& file, const std::string& why) {
  throw Error(ExitCode::store, fmt::format("{}: no model of lockstep: {}; take the "
                                           "model.safetensors of a run",
                                           file.path.string(), why));
}

const std::string& text(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) fail(file, fmt::format("its metadata has no '{}'", key));
  return found->second;
}

std::uint64_t number(const TensorFile& file, const std::string& key, std::uint64_t high) {
  const std::string& digits = text(file, key);
  const char* end = digits.data() + digits.size();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end || value > high) {
    fail(file, fmt::format("its metadata '{}' is '{}'", key, digits));
  }
  return value;
}

ModelShape read_shape(const TensorFile& file) {
  const ModelShape shape{number(file, "rows", largest_side), number(file, "columns", largest_side),
                         number(file, "hidden", largest_side), number(file, "classes", 256)};
  if (shape.rows == 0 || shape.columns == 0 || shape.hidden == 0 || shape.classes == 0) {
    fail(file, "one of its sizes is 0");
  }
  return shape;
}

/// Looks all tensors up before it makes room: the sizes are only claims until then.
Buffer<float> read_parameters(const TensorFile& file, const ModelShape& shape) {
  const auto [rows, columns, hidden, classes] = shape;
  const auto& weight_ih = file.find("rnn.weight_ih_l0", {hidden, columns}).values;
  const auto& weight_hh = file.find("rnn.weight_hh_l0", {hidden, hidden}).values;
  const auto& bias_ih = file.find("rnn.bias_ih_l0", {hidden}).values;
  const auto& bias_hh = file.find("rnn.bias_hh_l0", {hidden}).values;
  const auto& head_weight = file.find("head.weight", {classes, hidden}).values;
  const auto& head_bias = file.find("head.bias", {classes}).values;
  if (std::ranges::any_of(bias_hh, [](float value) { return value != 0; })) {
    fail(file, "rnn.bias_hh_l0 is not zero");
  }
  Buffer<float> parameters(parameter_count(shape));
  const Parts parts(shape, parameters.span());
  std::ranges::copy(transposed(weight_ih, hidden, columns), parts.weight_ih.begin());
  std::ranges::copy(transposed(weight_hh, hidden, hidden), parts.weight_hh.begin());
  std::ranges::copy(bias_ih, parts.bias_ih.begin());
  std::ranges::copy(transposed(head_weight, classes, hidden), parts.head_weight.begin());
  std::ranges::copy(head_bias, parts.head_bias.begin());
  return parameters;
}

}  // namespace

std::string weights_sha256(std::span<const float> parameters) {
  return sha256_hex(std::as_bytes(parameters));
}

void write_model(const std::filesystem::path& path, const Model& model) {
  TensorFile file = to_tensors(model.shape, model.parameters.span());
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
  write_tensors(path, file);
}

Model read_model(const std::filesystem::path& path) {
  const TensorFile file = read_tensors(path);
  if (text(file, "format") != format_name) {
    fail(file, fmt::format("its format is not '{}'", format_name));
  }
  Model model;
  model.shape = read_shape(file);
  model.parameters = read_parameters(file, model.shape);
  model.seed = number(file, "seed", UINT64_MAX);
  model.steps = number(file, "steps", UINT64_MAX);
  model.data = text(file, "data");
  if (weights_sha256(model.parameters.span()) != text(file, "weights_sha256")) {
    fail(file, "its weights do not have the SHA-256 that it names, so it was changed or damaged");
  }
  return model;
}

}  // namespace lockstep
