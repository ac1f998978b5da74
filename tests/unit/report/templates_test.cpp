#include "templates.hpp"

#include <gmock/gmock.h>

#include "../temporary_folder.hpp"
#include "content.hpp"

namespace lockstep {
namespace {

/// LOCKSTEP_TEMPLATES: the folder of the scripts.
TEST(Templates, are_the_files_of_the_source) {
  const std::filesystem::path folder = LOCKSTEP_TEMPLATES;
  EXPECT_EQ(curves_template, content(folder / "curves.gp"));
  EXPECT_EQ(predictions_template, content(folder / "predictions.gp"));
  EXPECT_EQ(confusion_template, content(folder / "confusion.gp"));
}

TEST(Templates, say_how_to_draw_again) {
  EXPECT_THAT(curves_template, testing::HasSubstr("gnuplot plots/curves.gp"));
  EXPECT_THAT(predictions_template, testing::HasSubstr("gnuplot plots/predictions.gp"));
  EXPECT_THAT(confusion_template, testing::HasSubstr("gnuplot plots/confusion.gp"));
}

}  // namespace
}  // namespace lockstep
