#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lockstep/data/picture.hpp>

#include "commands.hpp"
#include "model_argument.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

using Probabilities = std::vector<float>;

/// Weights that are finite can be so large that the logits are not.
void expect_finite(const Options& options, const std::string& file,
                   const Probabilities& probabilities) {
  if (std::ranges::all_of(probabilities, [](float p) { return std::isfinite(p); })) return;
  throw Error(
      ExitCode::non_finite,
      fmt::format("{}: its probabilities for {} are not finite; train the model again, with "
                  "--clip-norm 1 or a lower --learning-rate",
                  options.model, file));
}

std::vector<Probabilities> predict(const Options& options, const Model& model) {
  std::vector<std::vector<std::uint8_t>> pictures;
  std::vector<const std::uint8_t*> pointers;
  for (const std::string& file : options.arguments) {
    pictures.push_back(read_picture(file, model.shape.rows, model.shape.columns));
    pointers.push_back(pictures.back().data());
  }
  const std::vector<std::uint8_t> labels(pictures.size());  // what they are is not known
  std::vector<float> all(pictures.size() * model.shape.classes);
  make_engine(options, model, 1)
      ->evaluate({model.shape.rows, model.shape.columns, pointers, labels}, all, 0);
  std::vector<Probabilities> result;
  for (auto from = all.begin(); from != all.end(); from += std::ptrdiff_t(model.shape.classes)) {
    result.emplace_back(from, from + std::ptrdiff_t(model.shape.classes));
    expect_finite(options, options.arguments[result.size() - 1], result.back());
  }
  return result;
}

std::size_t digit(const Probabilities& probabilities) {
  return std::size_t(std::ranges::max_element(probabilities) - probabilities.begin());
}

std::string to_text(const std::string& file, const Probabilities& probabilities) {
  std::string line = fmt::format("{}: {} ", file, digit(probabilities));
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    line += fmt::format("  {}: {:.4f}", i, probabilities[i]);
  }
  return line + "\n";
}

nlohmann::ordered_json to_json(const std::string& file, const Probabilities& probabilities) {
  return {{"file", file}, {"digit", digit(probabilities)}, {"probabilities", probabilities}};
}

void print_all(const Options& options, const std::vector<Probabilities>& predictions) {
  auto list = nlohmann::ordered_json::array();
  std::string text;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    list.push_back(to_json(options.arguments[i], predictions[i]));
    text += to_text(options.arguments[i], predictions[i]);
  }
  using nlohmann::ordered_json;
  print(options.json ? list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                     : text);
}

}  // namespace

void run_predict(const Options& options, Communicator& world) {
  on_first_rank(world, [&] {
    if (options.arguments.empty()) {
      throw Error(ExitCode::usage,
                  "no picture given; name PNG files: predict --model RUN FILE.png");
    }
    const Model model = read_model(model_argument(options));
    print_all(options, predict(options, model));
  });
}

}  // namespace lockstep
