#include <lockstep/report/plots.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <numeric>
#include <system_error>

#include <lockstep/core/error.hpp>

#include "gnuplot.hpp"
#include "templates.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    throw Error(
        ExitCode::store,
        fmt::format("can't write {}: free some space or choose another --out", path.string()));
  }
}

/// A script and its data, <folder>/plots/<name>*, that draws `pictures` into the folder.
struct Plot {
  fs::path folder;
  std::string name;
  std::vector<std::string> pictures;

  void write(const std::string& suffix, const std::string& text) const {
    std::error_code error;
    fs::create_directories(folder / "plots", error);  // a failure shows at the file
    write_text(folder / "plots" / (name + suffix), text);
  }
  std::string draw() const;
};

/// The scripts draw into names with the prefix `part`, so that no half-drawn picture ever has its
/// name.
std::string Plot::draw() const {
  const std::string part = ".part-";
  std::string reason =
      run_gnuplot(folder, "part = " + gnuplot_quote(part), "plots/" + name + ".gp");
  for (const std::string& picture : pictures) {
    std::error_code error;
    if (reason.empty()) fs::rename(folder / (part + picture), folder / picture, error);
    if (error) reason = error.message();
    if (!reason.empty()) fs::remove(folder / (part + picture), error);
  }
  if (reason.empty()) return {};
  return fmt::format("no {} in {}: {}", fmt::join(pictures, ", "), folder.string(), reason);
}

std::string with_title(const std::string& title, const char* script) {
  return "title = " + gnuplot_quote(title) + "\n" + script;
}

}  // namespace

std::string draw_curves(const fs::path& folder, const std::string& title) {
  const Plot plot{folder, "curves", {"curves.png", "curves.svg"}};
  plot.write(".gp", with_title(title, curves_template));
  return plot.draw();
}

std::string draw_predictions(const fs::path& folder, const std::vector<Prediction>& predictions,
                             const std::string& title) {
  if (predictions.empty()) return "no predictions.png: no picture was tested here";
  std::string table = "# index truth prediction confidence\n";
  std::string pixels;
  for (const Prediction& picture : predictions) {
    table += fmt::format("{} {} {} {:.4f}\n", picture.index, picture.label, picture.predicted,
                         picture.confidence);
    pixels.append(picture.pixels.begin(), picture.pixels.end());
  }
  const Plot plot{folder, "predictions", {"predictions.png"}};
  plot.write(".gp",
             fmt::format("rows = {}\ncolumns = {}\n{}", predictions.front().rows,
                         predictions.front().columns, with_title(title, predictions_template)));
  plot.write(".dat", table);
  plot.write(".pixels", pixels);
  return plot.draw();
}

std::string draw_confusion(const fs::path& folder, const std::vector<std::uint64_t>& counts,
                           std::size_t classes, const std::string& title) {
  std::string table = "# truth prediction count total\n";
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const auto* const row = counts.data() + truth * classes;
    const std::uint64_t total = std::accumulate(row, row + classes, std::uint64_t{0});
    for (std::size_t prediction = 0; prediction < classes; ++prediction) {
      table += fmt::format("{} {} {} {}\n", truth, prediction, row[prediction], total);
    }
  }
  const Plot plot{folder, "confusion", {"confusion.png"}};
  plot.write(".gp", with_title(title, confusion_template));
  plot.write(".dat", table);
  return plot.draw();
}

}  // namespace lockstep
