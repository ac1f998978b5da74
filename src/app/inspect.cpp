#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lockstep/store/safetensors.hpp>

#include "commands.hpp"
#include "model_argument.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

struct Statistics {
  explicit Statistics(const std::vector<float>& values) {
    if (values.empty()) return;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    min = *low;
    max = *high;
    mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    for (double value : values) norm += value * value;
    norm = std::sqrt(norm);
  }
  double min = 0, max = 0, mean = 0, norm = 0;
};

nlohmann::ordered_json to_json(const TensorFile& file) {
  nlohmann::ordered_json tensors;
  for (const NamedTensor& tensor : file.tensors) {
    const Statistics statistics(tensor.values);
    tensors[tensor.name] = {{"shape", tensor.shape},
                            {"min", statistics.min},
                            {"max", statistics.max},
                            {"mean", statistics.mean},
                            {"norm", statistics.norm}};
  }
  return {{"tensors", tensors}, {"metadata", file.metadata}};
}

/// Of the first column, with room for every name.
std::size_t name_width(const TensorFile& file) {
  std::size_t longest = 16;
  for (const NamedTensor& tensor : file.tensors) longest = std::max(longest, tensor.name.size());
  for (const auto& [key, value] : file.metadata) longest = std::max(longest, key.size());
  return longest + 2;
}

std::string to_text(const TensorFile& file) {
  const std::size_t width = name_width(file);
  std::string text = fmt::format("{:<{}}{:<12}{:>10}{:>10}{:>10}{:>10}\n", "tensor", width, "shape",
                                 "min", "max", "mean", "norm");
  for (const NamedTensor& tensor : file.tensors) {
    const Statistics statistics(tensor.values);
    text += fmt::format("{:<{}}{:<12}{:>10.4f}{:>10.4f}{:>10.4f}{:>10.4f}\n", tensor.name, width,
                        fmt::format("[{}]", fmt::join(tensor.shape, "][")), statistics.min,
                        statistics.max, statistics.mean, statistics.norm);
  }
  text += "\n";
  for (const auto& [key, value] : file.metadata)
    text += fmt::format("{:<{}}{}\n", key, width, value);
  return text;
}

}  // namespace

void run_inspect(const Options& options, Communicator& world) {
  on_first_rank(world, [&] {
    const auto path = model_argument(options);
    const Model model = read_model(path);  // checks shapes and the SHA-256
    const TensorFile file = read_tensors(path);
    if (options.json) return print(to_json(file).dump(2) + "\n");
    print(fmt::format("{}\nWeights SHA-256: {}\n", to_text(file),
                      weights_sha256(model.parameters.span())));
  });
}

}  // namespace lockstep
