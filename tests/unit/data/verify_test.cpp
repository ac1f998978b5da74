#include <lockstep/data/verify.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/core/sha256.hpp>
#include <lockstep/data/folder.hpp>

#include "known_sets.hpp"
#include "scratch.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

void write_small(const Scratch& scratch) {
  write_dataset(scratch.folder(), counted_samples(24, 4, 3, 5), counted_samples(10, 4, 3, 5));
}

TEST(Verify, knows_mnist) {
  if (!fs::is_directory(mnist_folder())) {
    GTEST_SKIP() << "no MNIST in " << mnist_folder() << "; launch/fetch-mnist fetches it";
  }
  const DataCheck check = verify_data({mnist_folder().string()});
  EXPECT_EQ(check.set, "mnist");
  for (const FileCheck& file : check.files) EXPECT_EQ(file.set, "mnist") << file.path;
}

TEST(Verify, knows_fashion_mnist) {
  const fs::path folder = fashion_mnist_folder();
  if (!fs::is_directory(folder)) GTEST_SKIP() << "no " << folder << " (dataset-fashion-mnist)";
  EXPECT_EQ(verify_data({folder.string()}).set, "fashion-mnist");
  EXPECT_EQ(open_dataset({folder.string()})->classes(), 10U);
}

TEST(Verify, calls_other_files_unknown_and_gives_their_hashes) {
  const Scratch scratch;
  write_small(scratch);
  const Bytes labels = scratch.read("t10k-labels-idx1-ubyte");
  const std::string plain_hash = sha256_hex(std::as_bytes(std::span(labels)));
  scratch.gzip_all();
  const DataCheck check = verify_data({scratch.folder()});
  EXPECT_EQ(check.set, "unknown");
  ASSERT_EQ(check.files.size(), 4U);
  EXPECT_EQ(check.files[3].path, scratch.path("t10k-labels-idx1-ubyte.gz").string());
  EXPECT_EQ(check.files[3].sha256, plain_hash);
  EXPECT_EQ(check.files[3].set, "unknown");
}

TEST(Verify, one_foreign_file_makes_a_set_unknown) {
  const fs::path folder = mnist_folder();
  if (!fs::is_directory(folder)) {
    GTEST_SKIP() << "no MNIST in " << folder << "; launch/fetch-mnist fetches it";
  }
  const Scratch scratch;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    fs::create_symlink(fs::canonical(entry.path()), scratch.path(entry.path().filename()));
  }
  const fs::path labels = verify_data({scratch.folder()}).files[3].path;
  fs::remove(labels);
  scratch.write("t10k-labels-idx1-ubyte", Bytes{0, 0, 8, 1, 0, 0, 0, 1, 7});
  const DataCheck check = verify_data({scratch.folder()});
  EXPECT_EQ(check.set, "unknown");
  EXPECT_EQ(check.files[0].set, "mnist");
  EXPECT_EQ(check.files[3].set, "unknown");
}

TEST(Verify, made_digits_have_no_files) {
  const DataCheck check = verify_data({"synthetic"});
  EXPECT_EQ(check.set, "synthetic");
  EXPECT_TRUE(check.files.empty());
}

TEST(Verify, data_hash_is_the_same_for_plain_gzip_and_made_in_memory) {
  const Scratch scratch;
  write_synthetic(scratch.folder());
  const std::string hash = open_dataset({scratch.folder()})->hasher()().training;
  EXPECT_EQ(hash, open_dataset({"synthetic"})->hasher()().training);
  scratch.gzip_all();
  const auto packed = open_dataset({scratch.folder()});
  EXPECT_EQ(hash, packed->hasher()().training);
  packed->training(5, 3);
  EXPECT_EQ(hash, packed->hasher()().training);  // of what was unpacked on the way
  packed->training(7, 1);
  EXPECT_EQ(hash, packed->hasher()().training);
}

TEST(Verify, data_hash_differs_with_a_label) {
  const Scratch scratch;
  write_small(scratch);
  const std::string hash = open_dataset({scratch.folder()})->hasher()().training;
  Bytes labels = scratch.read("train-labels-idx1-ubyte");
  labels.back() ^= 1U;
  scratch.write("train-labels-idx1-ubyte", labels);
  EXPECT_NE(hash, open_dataset({scratch.folder()})->hasher()().training);
}

TEST(Verify, hashes_are_those_of_the_four_files_also_when_the_data_set_is_gone) {
  const Scratch scratch;
  write_small(scratch);
  const DataCheck check = verify_data({scratch.folder()});
  scratch.gzip_all();
  auto data = open_dataset({scratch.folder()});
  const auto hasher = data->hasher();
  data.reset();
  const DataHashes hashes = hasher();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(hashes.files[i], check.files[i].sha256) << i;
}

TEST(Verify, hashes_of_made_digits_are_those_of_their_files) {
  const Scratch scratch;
  write_synthetic(scratch.folder());
  EXPECT_EQ(open_dataset({scratch.folder()})->hasher()().files,
            open_dataset({"synthetic"})->hasher()().files);
}

TEST(Verify, a_copy_has_an_identity_of_its_own_but_a_link_has_not) {
  const Scratch scratch;
  const Scratch copy;
  write_small(scratch);
  write_small(copy);
  fs::create_directory_symlink(scratch.folder(), copy.path("link"));
  const std::string identity = open_dataset({scratch.folder()})->identity();
  EXPECT_EQ(open_dataset({scratch.folder()})->identity(), identity);
  EXPECT_EQ(open_dataset({copy.path("link").string()})->identity(), identity);
  EXPECT_NE(open_dataset({copy.folder()})->identity(), identity);
}

}  // namespace
}  // namespace lockstep
