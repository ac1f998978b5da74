#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lockstep/data/picture.hpp>

#include "commands.hpp"
#include "failure.hpp"
#include "model_argument.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

/// A file, and its image or else why there is none.
struct Input {
  std::string file;
  std::vector<std::uint8_t> image;
  std::string error;
  std::vector<float> probabilities;
};

/// A file that is no usable image is no reason to leave out the others.
Input read_input(const std::string& file, const Model& model) {
  Input input{file, {}, {}, {}};
  try {
    input.image = read_picture(file, model.shape.rows, model.shape.columns,
                               model.images.value_or(ImageStyle{}));
  } catch (const Error& error) {
    input.error = error.what();
  }
  return input;
}

/// Weights that are finite can be so large that the logits are not.
void expect_finite(const Options& options, const Input& input) {
  if (std::ranges::all_of(input.probabilities, [](float p) { return std::isfinite(p); })) return;
  throw Error(
      ExitCode::non_finite,
      fmt::format("{}: its probabilities for {} are not finite; train the model again, with "
                  "--clip-norm 1 or a lower --learning-rate",
                  options.model, input.file));
}

void predict(const Options& options, const Model& model, std::vector<Input>& inputs) {
  std::vector<const std::uint8_t*> images;
  for (const Input& input : inputs) {
    if (input.error.empty()) images.push_back(input.image.data());
  }
  const std::vector<std::uint8_t> labels(images.size());  // what they are is not known
  std::vector<float> all(images.size() * model.shape.classes);
  const auto engine = make_engine(options, model, 1);
  if (!images.empty()) {
    engine->evaluate({model.shape.rows, model.shape.columns, images, labels}, all, 0);
  }
  auto from = all.begin();
  for (Input& input : inputs) {
    if (!input.error.empty()) continue;
    const auto to = from + std::ptrdiff_t(model.shape.classes);
    input.probabilities.assign(from, to);
    expect_finite(options, input);
    from = to;
  }
}

std::size_t digit(const std::vector<float>& probabilities) {
  return std::size_t(std::ranges::max_element(probabilities) - probabilities.begin());
}

std::string to_text(const Input& input) {
  if (!input.error.empty()) return {};
  std::string line = fmt::format("{}: {} ", input.file, digit(input.probabilities));
  for (std::size_t i = 0; i < input.probabilities.size(); ++i) {
    line += fmt::format("  {}: {:.4f}", i, input.probabilities[i]);
  }
  return line + "\n";
}

nlohmann::ordered_json to_json(const Input& input) {
  if (!input.error.empty()) return {{"file", input.file}, {"error", input.error}};
  return {{"file", input.file},
          {"digit", digit(input.probabilities)},
          {"probabilities", input.probabilities}};
}

void print_all(const Options& options, const std::vector<Input>& inputs) {
  auto list = nlohmann::ordered_json::array();
  std::string text;
  for (const Input& input : inputs) {
    list.push_back(to_json(input));
    text += to_text(input);
  }
  using nlohmann::ordered_json;
  print(options.json ? list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                     : text);
}

/// A line for each file that failed; the last one ends the program.
void fail_by_inputs(const std::vector<Input>& inputs) {
  std::string last;
  for (const Input& input : inputs) {
    if (input.error.empty()) continue;
    print_error({int(ExitCode::data), last});
    last = input.error;
  }
  if (!last.empty()) throw Error(ExitCode::data, last);
}

/// Model files of earlier versions say nothing about their data.
void note_default_style(const Options& options, const Model& model) {
  if (model.images) return;
  print_error({0, fmt::format("note: {} does not say how its images look, so that yours are "
                              "prepared as for MNIST; a model trained anew says it",
                              options.model)});
}

}  // namespace

void run_predict(const Options& options, Communicator& world) {
  on_first_rank(world, [&] {
    if (options.arguments.empty()) {
      throw Error(ExitCode::usage, "no image given; name PNG files: predict --model RUN FILE.png");
    }
    const Model model = read_model(model_argument(options));
    note_default_style(options, model);
    std::vector<Input> inputs;
    for (const std::string& file : options.arguments) inputs.push_back(read_input(file, model));
    predict(options, model, inputs);
    print_all(options, inputs);
    fail_by_inputs(inputs);
  });
}

}  // namespace lockstep
