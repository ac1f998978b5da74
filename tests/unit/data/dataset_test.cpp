#include <lockstep/data/dataset.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include <lockstep/data/folder.hpp>
#include <lockstep/data/shards.hpp>

#include "scratch.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

const Samples training_file = counted_samples(240, 4, 3, 5);
const Samples test_file = counted_samples(50, 4, 3, 5);

TEST(Dataset, sizes_come_from_the_files) {
  const Scratch scratch;
  write_dataset(scratch.folder(), training_file, test_file);
  const auto data = open_dataset({scratch.folder()});
  EXPECT_EQ(data->name(), scratch.folder());
  EXPECT_FALSE(data->synthetic());
  EXPECT_EQ(data->rows(), 4U);
  EXPECT_EQ(data->columns(), 3U);
  EXPECT_EQ(data->validation_size(), 20U);
  EXPECT_EQ(data->training_size(), 220U);
  EXPECT_EQ(data->test_size(), 50U);
  EXPECT_EQ(data->classes(), 5U);
}

TEST(Dataset, the_first_twelfth_is_for_validation_and_the_rest_for_training) {
  for (const bool packed : {false, true}) {
    const Scratch scratch;
    write_dataset(scratch.folder(), training_file, test_file);
    if (packed) scratch.gzip_all();
    const auto data = open_dataset({scratch.folder()});
    const Samples validation = data->validation(0, 20);
    const Samples training = data->training(0, 220);
    EXPECT_TRUE(std::equal(validation.pixels.begin(), validation.pixels.end(),
                           training_file.pixels.begin()));
    EXPECT_TRUE(
        std::equal(training.pixels.begin(), training.pixels.end(), training_file.picture(20)));
    EXPECT_TRUE(std::equal(training.labels.begin(), training.labels.end(),
                           training_file.labels.begin() + 20));
    EXPECT_EQ(data->test(0, 50).pixels, test_file.pixels);
    EXPECT_EQ(data->test(0, 50).labels, test_file.labels);
  }
}

TEST(Dataset, a_range_is_that_part_of_the_whole) {
  const Scratch scratch;
  write_dataset(scratch.folder(), training_file, test_file);
  const auto data = open_dataset({scratch.folder()});
  const Samples some = data->training(7, 3);
  ASSERT_EQ(some.size(), 3U);
  EXPECT_TRUE(std::equal(some.pixels.begin(), some.pixels.end(), training_file.picture(27)));
  EXPECT_EQ(some.labels[0], training_file.labels[27]);
}

TEST(Dataset, a_rank_of_four_reads_the_bytes_of_its_shards_and_no_others) {
  const Scratch scratch;
  write_dataset(scratch.folder(), training_file, test_file);
  const ShardPlan plan{220, 16, 128, 1};
  std::uint64_t all = 0;
  for (std::size_t rank = 0; rank < 4; ++rank) {
    const auto data = open_dataset({scratch.folder()});
    EXPECT_EQ(data->bytes_read(), 0U);
    const Range shards = plan.owned(rank, 4);
    const std::size_t first = plan.pictures(shards.begin).begin;
    const std::size_t count = plan.pictures(shards.end - 1).end - first;
    data->training(first, count);
    EXPECT_EQ(data->bytes_read(), count * (4 * 3 + 1));
    all += data->bytes_read();
  }
  EXPECT_EQ(all, 220U * (4 * 3 + 1));
}

TEST(Dataset, counting_classes_reads_all_labels_once) {
  const Scratch scratch;
  write_dataset(scratch.folder(), training_file, test_file);
  const auto data = open_dataset({scratch.folder()});
  data->classes();
  data->classes();
  EXPECT_EQ(data->bytes_read(), 290U);
}

TEST(Dataset, names_with_a_dot_are_found_too) {
  const Scratch scratch;
  write_dataset(scratch.folder(), training_file, test_file);
  for (const char* const stem : {"train-images", "train-labels", "t10k-images", "t10k-labels"}) {
    const std::string kind = std::string(stem).ends_with("images") ? "idx3" : "idx1";
    fs::rename(scratch.path(stem + ("-" + kind) + "-ubyte"),
               scratch.path(stem + ("." + kind) + "-ubyte"));
  }
  scratch.gzip("t10k-labels.idx1-ubyte");
  EXPECT_EQ(open_dataset({scratch.folder()})->test(0, 50).labels, test_file.labels);
}

TEST(Dataset, the_environment_names_the_folder_where_the_option_does_not) {
  const Scratch scratch;
  const Scratch other;
  write_dataset(scratch.folder(), training_file, test_file);
  write_dataset(other.folder(), test_file, test_file);
  const char* const before = std::getenv("LOCKSTEP_DATA");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("LOCKSTEP_DATA", scratch.folder().c_str(), 1);
  EXPECT_EQ(open_dataset({})->name(), scratch.folder());
  EXPECT_EQ(open_dataset({other.folder()})->name(), other.folder());
  ::unsetenv("LOCKSTEP_DATA");
  if (before != nullptr) ::setenv("LOCKSTEP_DATA", saved.c_str(), 1);
}

}  // namespace
}  // namespace lockstep
