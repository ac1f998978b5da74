#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include <lockstep/data/folder.hpp>

#include "idx.hpp"
#include "scratch.hpp"

namespace lockstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr const char* train_images = "train-images-idx3-ubyte";
constexpr const char* train_labels = "train-labels-idx1-ubyte";
constexpr const char* test_labels = "t10k-labels-idx1-ubyte";

/// A small sound data set in a folder, for a test to damage.
class DamagedFiles : public testing::Test {
 protected:
  DamagedFiles() {
    write_dataset(scratch_.folder(), counted_samples(24, 4, 3, 5), counted_samples(10, 4, 3, 5));
  }

  std::string error_on_open() const {
    return data_error_of([&] { open_dataset({scratch_.folder()}); });
  }
  std::string error_on_classes() const {
    return data_error_of([&] { open_dataset({scratch_.folder()})->classes(); });
  }
  std::string error_on_reading() const {
    return data_error_of([&] { open_dataset({scratch_.folder()})->training(0, 1); });
  }
  void set_byte(const std::string& name, std::size_t place, std::uint8_t value) const {
    Bytes bytes = scratch_.read(name);
    bytes.at(place) = value;
    scratch_.write(name, bytes);
  }

  Scratch scratch_;
};

TEST_F(DamagedFiles, sound_ones_are_read) {
  EXPECT_EQ(open_dataset({scratch_.folder()})->classes(), 5U);
}

TEST_F(DamagedFiles, a_missing_file_is_named_with_the_ways_out) {
  fs::remove(scratch_.path(test_labels));
  EXPECT_THAT(error_on_open(),
              AllOf(HasSubstr(scratch_.path(test_labels).string()), HasSubstr("launch/fetch-mnist"),
                    HasSubstr("--data synthetic")));
}

TEST_F(DamagedFiles, a_missing_folder_is_named_with_the_ways_out) {
  const auto line = data_error_of([] { open_dataset({"/no/such/folder"}); });
  EXPECT_THAT(line, AllOf(HasSubstr("/no/such/folder"), HasSubstr("launch/fetch-mnist"),
                          HasSubstr("--data synthetic")));
}

TEST_F(DamagedFiles, a_folder_in_place_of_a_file_is_an_error) {
  fs::remove(scratch_.path(train_images));
  fs::create_directory(scratch_.path(train_images));
  EXPECT_THAT(error_on_open(), HasSubstr("is no file"));
}

TEST_F(DamagedFiles, a_wrong_magic_number_is_shown) {
  set_byte(train_images, 2, 9);
  EXPECT_THAT(error_on_open(),
              AllOf(HasSubstr(train_images), HasSubstr("0x00000903"), HasSubstr("0x00000803")));
}

TEST_F(DamagedFiles, labels_in_place_of_pictures_are_seen) {
  fs::copy_file(scratch_.path(train_labels), scratch_.path(train_images),
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(error_on_open(), HasSubstr("magic 0x00000801"));
}

TEST_F(DamagedFiles, every_shorter_file_is_an_error) {
  for (const char* const name : {train_images, test_labels}) {
    const Bytes whole = scratch_.read(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      scratch_.write(name, std::span(whole).first(size));
      EXPECT_THAT(error_on_open(), HasSubstr(name)) << size;
    }
    scratch_.write(name, whole);
  }
}

TEST_F(DamagedFiles, a_longer_file_is_an_error) {
  Bytes bytes = scratch_.read(train_labels);
  bytes.push_back(0);
  scratch_.write(train_labels, bytes);
  EXPECT_THAT(error_on_open(), HasSubstr("holds 33 bytes where its header asks for 32"));
}

TEST_F(DamagedFiles, every_gzip_file_that_is_cut_short_is_an_error) {
  scratch_.gzip_all();
  for (const char* const name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}) {
    const Bytes whole = scratch_.read(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      scratch_.write(name, std::span(whole).first(size));
      EXPECT_THAT(error_on_open(), HasSubstr(name)) << size;
    }
    scratch_.write(name, std::span(whole).first(whole.size() - 9));
    EXPECT_THAT(error_on_open(), HasSubstr("cut short inside its gzip stream"));
    scratch_.write(name, whole);
  }
}

TEST_F(DamagedFiles, a_gzip_file_with_a_wrong_check_sum_is_an_error) {
  scratch_.gzip_all();
  const std::string name = std::string(train_images) + ".gz";
  const Bytes whole = scratch_.read(name);
  set_byte(name, whole.size() - 8, whole[whole.size() - 8] ^ 1U);
  EXPECT_THAT(error_on_reading(), AllOf(HasSubstr(name), HasSubstr("gzip stream")));
}

TEST_F(DamagedFiles, a_gzip_file_of_another_length_than_its_header_says_is_an_error) {
  for (const std::uint8_t count : Bytes{23, 25}) {
    const Scratch scratch;
    write_dataset(scratch.folder(), counted_samples(24, 4, 3, 5), counted_samples(10, 4, 3, 5));
    Bytes bytes = scratch.read(train_images);
    bytes.at(7) = count;
    scratch.write(train_images, bytes);
    scratch.gzip_all();
    EXPECT_THAT(data_error_of([&] { open_dataset({scratch.folder()}); }),
                HasSubstr("header asks for"));
  }
}

TEST_F(DamagedFiles, sizes_that_overflow_are_an_error_and_ask_for_no_memory) {
  for (std::size_t place = 4; place < 12; ++place) set_byte(train_images, place, 0xFF);
  set_byte(train_images, 15, 1);
  EXPECT_THAT(error_on_open(), HasSubstr("no file can have: 4294967295 x 4294967295 x 1"));
  for (std::size_t place = 12; place < 16; ++place) set_byte(train_images, place, 0xFF);
  EXPECT_THAT(error_on_open(), HasSubstr("4294967295 x 4294967295 x 4294967295"));
  scratch_.gzip_all();
  EXPECT_THAT(error_on_open(), HasSubstr("4294967295 x 4294967295 x 4294967295"));
}

TEST_F(DamagedFiles, a_gzip_file_that_claims_terabytes_is_an_error_and_asks_for_no_memory) {
  for (const std::size_t place : {5U, 9U}) set_byte(train_images, place, 0x7F);
  scratch_.gzip_all();
  EXPECT_THAT(error_on_open(), HasSubstr("cannot hold"));
}

TEST_F(DamagedFiles, an_empty_set_is_an_error) {
  const std::array<std::size_t, 3> none{0, 4, 3};
  write_idx(scratch_.path(train_images), none, {});
  EXPECT_THAT(error_on_open(), HasSubstr("is empty: 0 x 4 x 3"));
}

TEST_F(DamagedFiles, a_set_too_small_for_a_validation_part_is_an_error) {
  write_dataset(scratch_.folder(), counted_samples(11, 4, 3, 5), counted_samples(10, 4, 3, 5));
  EXPECT_THAT(error_on_open(), HasSubstr("at least 12"));
}

TEST_F(DamagedFiles, counts_of_pictures_and_labels_that_differ_are_an_error) {
  const std::array<std::size_t, 1> shape{23};
  write_idx(scratch_.path(train_labels), shape, Bytes(23));
  EXPECT_THAT(error_on_open(), AllOf(HasSubstr("23 labels"), HasSubstr("24 pictures")));
}

TEST_F(DamagedFiles, test_pictures_of_another_size_are_an_error) {
  const std::array<std::size_t, 3> shape{10, 3, 4};
  write_idx(scratch_.path("t10k-images-idx3-ubyte"), shape, Bytes(120));
  EXPECT_THAT(error_on_open(), AllOf(HasSubstr("3 x 4"), HasSubstr("4 x 3")));
}

TEST_F(DamagedFiles, a_gap_below_a_label_is_an_error_that_names_its_index) {
  set_byte(train_labels, 8 + 17, 200);
  EXPECT_THAT(error_on_classes(), AllOf(HasSubstr(train_labels), HasSubstr("label 200 at index 17"),
                                        HasSubstr("none is 5")));
}

TEST_F(DamagedFiles, a_test_label_unknown_to_training_is_an_error_that_names_its_index) {
  set_byte(test_labels, 8 + 3, 5);
  EXPECT_THAT(error_on_classes(), AllOf(HasSubstr(test_labels), HasSubstr("label 5 at index 3")));
}

}  // namespace
}  // namespace lockstep
