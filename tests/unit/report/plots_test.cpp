#include <lockstep/report/plots.hpp>

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include <lockstep/core/error.hpp>
#include <lockstep/report/metrics.hpp>

#include "../temporary_folder.hpp"
#include "content.hpp"
#include "program_path.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string title = "it's [synthetic] \"made\" digits_of {x}";

/// The pictures that gnuplot itself draws, in a fresh folder.
class Plots : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("gnuplot --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no gnuplot here";
  }

  void expect_picture(const std::string& name, const std::string& beginning) const {
    EXPECT_THAT(content(folder_.path() / name), StartsWith(beginning)) << name;
    EXPECT_FALSE(fs::exists(folder_.path() / (".part-" + name)));
  }

  void write_metrics(std::uint64_t epochs, std::uint64_t steps_per_epoch, bool validation) const {
    MetricsWriter metrics(folder_.path());
    const double none = std::numeric_limits<double>::quiet_NaN();
    for (std::uint64_t step = 1; step <= epochs * steps_per_epoch; ++step) {
      const double epoch = static_cast<double>(step) / static_cast<double>(steps_per_epoch);
      const double loss = 2.3 / (1 + epoch);
      metrics.add(StepRecord{step, epoch, loss, std::exp(-loss), 0.001, 0.005, {{}}});
      if (step % steps_per_epoch == 0) {
        metrics.add(EpochRecord{step / steps_per_epoch, step, loss, std::exp(-loss),
                                validation ? loss : none, validation ? std::exp(-loss) : none, 1});
      }
    }
    metrics.flush();
  }

  void expect_curves() const {
    EXPECT_EQ(draw_curves(folder_.path(), title), "");
    expect_picture("curves.png", "\x89PNG");
    expect_picture("curves.svg", "<?xml");
    EXPECT_THAT(content(folder_.path() / "curves.svg"), HasSubstr("digits_of {x}"));
  }

  TemporaryFolder folder_;
};

std::vector<Prediction> pictures(std::size_t count, std::size_t rows, std::size_t columns) {
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::uint8_t> pixels(rows * columns, static_cast<std::uint8_t>(i));
    predictions.push_back({i, rows, columns, pixels, i % 10, i % 7, 0.5});
  }
  return predictions;
}

TEST_F(Plots, draws_the_curves_of_a_long_run) {
  write_metrics(10, 429, true);
  expect_curves();
  EXPECT_THAT(content(folder_.path() / "curves.svg"), HasSubstr("validation"));
}

TEST_F(Plots, draws_the_curves_of_one_epoch_of_one_step) {
  write_metrics(1, 1, true);
  expect_curves();
}

TEST_F(Plots, draws_the_curves_without_validation) {
  write_metrics(2, 20, false);
  expect_curves();
  EXPECT_THAT(content(folder_.path() / "curves.svg"), testing::Not(HasSubstr("validation")));
}

TEST_F(Plots, draws_predictions_of_any_number_and_size) {
  for (const auto& [count, rows, columns] :
       {std::tuple{48, 28, 28}, {1, 28, 28}, {9, 7, 40}, {3, 1, 1}}) {
    const auto predictions =
        pictures(static_cast<std::size_t>(count), static_cast<std::size_t>(rows),
                 static_cast<std::size_t>(columns));
    EXPECT_EQ(draw_predictions(folder_.path(), predictions, title), "") << count;
    expect_picture("predictions.png", "\x89PNG");
    fs::remove(folder_.path() / "predictions.png");
  }
}

TEST_F(Plots, draws_the_confusion_of_any_number_of_classes) {
  for (const std::size_t classes : {1u, 3u, 10u, 26u, 62u}) {
    std::vector<std::uint64_t> counts(classes * classes, 0);
    for (std::size_t truth = 1; truth < classes; ++truth) counts[truth * classes + truth] = truth;
    EXPECT_EQ(draw_confusion(folder_.path(), counts, classes, title), "") << classes;
    expect_picture("confusion.png", "\x89PNG");
    fs::remove(folder_.path() / "confusion.png");
  }
}

TEST_F(Plots, a_user_can_draw_again) {
  EXPECT_EQ(draw_predictions(folder_.path(), pictures(2, 28, 28), title), "");
  fs::remove(folder_.path() / "predictions.png");
  ::setenv("LOCKSTEP_TEST_RUN", folder_.path().c_str(), 1);
  EXPECT_EQ(std::system("cd \"$LOCKSTEP_TEST_RUN\" && gnuplot plots/predictions.gp"), 0);
  expect_picture("predictions.png", "\x89PNG");
}

TEST_F(Plots, without_metrics_there_are_no_curves_but_a_reason) {
  const std::string reason = draw_curves(folder_.path(), title);
  EXPECT_THAT(reason, HasSubstr("no curves.png, curves.svg in " + folder_.path().string()));
  EXPECT_EQ(reason.find('\n'), std::string::npos);
}

TEST(PlotsWithoutGnuplot, say_what_is_missing) {
  const TemporaryFolder folder;
  const ProgramPath path(folder.path());
  EXPECT_THAT(draw_confusion(folder.path(), {1, 0, 0, 1}, 2, title),
              EndsWith("gnuplot is missing: install gnuplot-nox"));
}

TEST(PlotsWithoutGnuplot, a_failure_leaves_the_old_picture_and_no_half) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "confusion.png") << "old";
  make_gnuplot(folder.path(), "echo half > .part-confusion.png; exit 1");
  const ProgramPath path(folder.path());
  EXPECT_NE(draw_confusion(folder.path(), {1}, 1, title), "");
  EXPECT_EQ(content(folder.path() / "confusion.png"), "old");
  EXPECT_FALSE(fs::exists(folder.path() / ".part-confusion.png"));
}

TEST(PlotsWithoutGnuplot, the_data_of_the_confusion_name_their_totals) {
  const TemporaryFolder folder;
  const ProgramPath path(folder.path());
  draw_confusion(folder.path(), {5, 1, 0, 7}, 2, title);
  EXPECT_EQ(content(folder.path() / "plots" / "confusion.dat"),
            "# truth prediction count total\n0 0 5 6\n0 1 1 6\n1 0 0 7\n1 1 7 7\n");
}

TEST(PlotsWithoutGnuplot, the_data_of_the_predictions_are_whole) {
  const TemporaryFolder folder;
  const ProgramPath path(folder.path());
  draw_predictions(folder.path(), {{17, 2, 3, {0, 1, 2, 3, 4, 255}, 4, 9, 0.75}}, title);
  EXPECT_EQ(content(folder.path() / "plots" / "predictions.dat"),
            "# index truth prediction confidence\n17 4 9 0.7500\n");
  EXPECT_EQ(content(folder.path() / "plots" / "predictions.pixels"),
            std::string("\0\1\2\3\4\377", 6));
}

TEST(PlotsWithoutGnuplot, a_folder_that_cannot_be_written_to_is_an_error) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "plots") << "a file";
  EXPECT_THROW(draw_confusion(folder.path(), {1}, 1, title), Error);
}

}  // namespace
}  // namespace lockstep
