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
  EXPECT_EQ(files->training(0, 5500).pixels, made->training(0, 5500).pixels);
  EXPECT_EQ(files->training(0, 5500).labels, made->training(0, 5500).labels);
  EXPECT_EQ(files->test(0, 1000).pixels, made->test(0, 1000).pixels);
}

TEST(Folder, a_file_in_its_place_is_a_data_error) {
  const Scratch scratch;
  scratch.write("file", Bytes{1});
  const auto line = data_error_of([&] { write_synthetic(scratch.path("file")); });
  EXPECT_THAT(line, testing::HasSubstr(scratch.path("file").string()));
}

}  // namespace
}  // namespace lockstep
