#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// A test picture with what the model made of it.
struct Prediction {
  std::size_t index = 0;  // in the test set
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::uint8_t> pixels;
  std::size_t label = 0;
  std::size_t predicted = 0;
  double confidence = 0;
};

/// Draws into a run folder by gnuplot, from the templates of src/report/templates, which land
/// beside their data in <folder>/plots so that a user can change and draw them again. Each returns
/// an empty string, or one line that says why there is no picture (gnuplot missing or failed); a
/// picture is never half-written. Throws Error (store) where the folder can't be written.

/// curves.png and curves.svg from metrics.csv: loss and accuracy against epoch, training and
/// validation.
std::string draw_curves(const std::filesystem::path& folder, const std::string& title);
/// predictions.png: pictures with prediction, truth and confidence; errors marked.
std::string draw_predictions(const std::filesystem::path& folder,
                             const std::vector<Prediction>& predictions, const std::string& title);
/// confusion.png: counts [truth][prediction], classes x classes.
std::string draw_confusion(const std::filesystem::path& folder,
                           const std::vector<std::uint64_t>& counts, std::size_t classes,
                           const std::string& title);

}  // namespace lockstep
