#include <lockstep/data/folder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scratch.hpp"

namespace lockstep {
namespace {

TEST(Folder, made_digits_in_files_are_the_made_digits) {
  const Scratch scratch;
  write_synthetic(scratch.path("digits"));
  const auto files = open_dataset({scratch.path("digits").string()});
  const auto made = open_dataset({"synthetic"});
  EXPECT_EQ(files->classes(), made->classes());
  EXPECT_EQ(files->validation_size(), made->validation_size());
  EXPECT_EQ(files->training(5400, 100).pixels, made->training(5400, 100).pixels);
  EXPECT_EQ(files->training(5400, 100).labels, made->training(5400, 100).labels);
  EXPECT_EQ(files->test(900, 100).pixels, made->test(900, 100).pixels);
}

TEST(Folder, a_file_in_its_place_is_a_data_error) {
  const Scratch scratch;
  scratch.write("file", Bytes{1});
  const Samples small = counted_samples(1, 2, 2, 1);
  const auto line = data_error_of([&] { write_dataset(scratch.path("file"), small, small); });
  EXPECT_THAT(line, testing::HasSubstr(scratch.path("file").string()));
}

}  // namespace
}  // namespace lockstep
