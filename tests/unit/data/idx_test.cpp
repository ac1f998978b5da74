#include "idx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>

#include "scratch.hpp"

namespace lockstep {
namespace {

using testing::ElementsAre;

constexpr std::array<std::size_t, 3> shape{5, 3, 2};

Bytes counted_items() {
  Bytes items(30);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::uint8_t>(i);
  return items;
}

TEST(Idx, header_is_big_endian) {
  const std::array<std::size_t, 2> two{1, 0x01020304};
  EXPECT_THAT(idx_header(two), ElementsAre(0, 0, 8, 2, 0, 0, 0, 1, 1, 2, 3, 4));
}

TEST(Idx, reads_what_was_written_plain_and_gzip) {
  const Scratch scratch;
  write_idx(scratch.path("a"), shape, counted_items());
  EXPECT_EQ(IdxFile(scratch.path("a"), 3).read(0, 5), counted_items());
  scratch.gzip("a");
  IdxFile packed(scratch.path("a.gz"), 3);
  EXPECT_THAT(packed.shape(), ElementsAre(5, 3, 2));
  EXPECT_EQ(packed.read(0, 5), counted_items());
}

TEST(Idx, gzip_shows_in_the_bytes_and_not_in_the_name) {
  const Scratch scratch;
  write_idx(scratch.path("plain.gz"), shape, counted_items());
  EXPECT_EQ(IdxFile(scratch.path("plain.gz"), 3).read(0, 5), counted_items());
  write_idx(scratch.path("a"), shape, counted_items());
  scratch.gzip("a");
  std::filesystem::rename(scratch.path("a.gz"), scratch.path("packed"));
  EXPECT_EQ(IdxFile(scratch.path("packed"), 3).read(0, 5), counted_items());
}

TEST(Idx, several_gzip_members_are_one_content) {
  const Scratch scratch;
  write_idx(scratch.path("a"), shape, counted_items());
  const Bytes whole = scratch.read("a");
  const std::span bytes(whole);
  scratch.write("first", bytes.first(20));
  scratch.write("second", bytes.subspan(20));
  scratch.gzip_all();
  Bytes joined = scratch.read("first.gz");
  const Bytes second = scratch.read("second.gz");
  joined.insert(joined.end(), second.begin(), second.end());
  scratch.write("joined", joined);
  EXPECT_EQ(IdxFile(scratch.path("joined"), 3).read(0, 5), counted_items());
}

TEST(Idx, reads_only_the_bytes_of_a_range) {
  const Scratch scratch;
  write_idx(scratch.path("a"), shape, counted_items());
  IdxFile file(scratch.path("a"), 3);
  EXPECT_THAT(file.read(1, 1), ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_EQ(file.bytes_read(), 6U);
  EXPECT_TRUE(file.read(5, 0).empty());
  EXPECT_EQ(file.bytes_read(), 6U);
}

TEST(Idx, keeps_only_the_range_of_a_gzip_file_and_counts_what_it_unpacked) {
  const Scratch scratch;
  write_idx(scratch.path("a"), shape, counted_items());
  scratch.gzip("a");
  IdxFile file(scratch.path("a.gz"), 3);
  EXPECT_THAT(file.read(4, 1), ElementsAre(24, 25, 26, 27, 28, 29));
  EXPECT_EQ(file.bytes_read(), 30U);
}

TEST(Idx, writing_replaces_whole_and_leaves_no_other_file) {
  const Scratch scratch;
  write_idx(scratch.path("a"), shape, counted_items());
  const std::array<std::size_t, 1> one{2};
  write_idx(scratch.path("a"), one, Bytes{7, 9});
  EXPECT_THAT(IdxFile(scratch.path("a"), 1).read(0, 2), ElementsAre(7, 9));
  const std::filesystem::directory_iterator files(scratch.folder());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(Idx, a_place_that_cannot_be_written_is_a_data_error) {
  const Scratch scratch;
  const auto line =
      data_error_of([&] { write_idx(scratch.path("no-such-folder/a"), shape, counted_items()); });
  EXPECT_THAT(line, testing::HasSubstr("No such file or directory"));
}

TEST(Idx, a_full_disk_is_a_data_error) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const Scratch scratch;
  std::filesystem::create_symlink("/dev/full",
                                  scratch.path("a." + std::to_string(::getpid()) + ".part"));
  const auto line = data_error_of([&] { write_idx(scratch.path("a"), shape, counted_items()); });
  EXPECT_THAT(line, testing::HasSubstr("No space left"));
  EXPECT_TRUE(std::filesystem::is_empty(scratch.folder()));
}

}  // namespace
}  // namespace lockstep
