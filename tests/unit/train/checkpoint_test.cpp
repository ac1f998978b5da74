#include <lockstep/train/checkpoint.hpp>

#include <gtest/gtest.h>

#include <fstream>

#include <lockstep/core/error.hpp>
#include <lockstep/core/random.hpp>
#include <lockstep/store/file.hpp>
#include <lockstep/train/model_file.hpp>

#include "../temporary_folder.hpp"
#include "some_checkpoint.hpp"

namespace lockstep {
namespace {

class CheckpointFile : public testing::Test {
 protected:
  CheckpointFile() {
    write_checkpoint(path_, some_checkpoint(429));
    whole_ = read_file(path_);
  }

  /// Whether a file of these bytes is taken. Every refusal must be Error (store).
  bool accepted(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    try {
      read_checkpoint(path_);
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::store);
      return false;
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "step-00000429.safetensors";
  std::string whole_;
};

TEST_F(CheckpointFile, reads_back_what_was_written) {
  const Checkpoint expected = some_checkpoint(429);
  const Checkpoint found = read_checkpoint(path_);
  EXPECT_EQ(found.shape, expected.shape);
  EXPECT_EQ(found.state, expected.state);
  EXPECT_EQ(found.seed, expected.seed);
  EXPECT_EQ(found.recipe, expected.recipe);
  EXPECT_EQ(found.arithmetic, expected.arithmetic);
  EXPECT_EQ(found.data, expected.data);
  EXPECT_EQ(found.data_sha256, expected.data_sha256);
  EXPECT_EQ(found.images, expected.images);
  EXPECT_EQ(found.restarts, expected.restarts);
  EXPECT_EQ(found.seconds, expected.seconds);
  EXPECT_EQ(found.validation_loss, expected.validation_loss);
  EXPECT_EQ(found.validation_accuracy, expected.validation_accuracy);
  EXPECT_EQ(found.best_step, expected.best_step);
  EXPECT_EQ(found.best_loss, expected.best_loss);
}

TEST_F(CheckpointFile, is_a_model_file_too) {
  const Model model = read_model(path_);
  EXPECT_EQ(model.steps, 429u);
  EXPECT_TRUE(std::ranges::equal(model.parameters.span(), some_checkpoint(429).state.parameters));
}

TEST_F(CheckpointFile, cut_at_any_length_is_never_accepted) {
  ASSERT_TRUE(accepted(whole_));
  for (std::size_t length = 0; length < whole_.size(); ++length) {
    ASSERT_FALSE(accepted(whole_.substr(0, length))) << length;
  }
}

TEST_F(CheckpointFile, with_a_flipped_bit_is_never_accepted) {
  const Random random(1, Stream::synthetic);
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const auto [place, bit, unused, unused2] = random.block(i);
    std::string flipped = whole_;
    char& byte = flipped[place % flipped.size()];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    ASSERT_FALSE(accepted(flipped)) << place % flipped.size() << " bit " << bit % 8;
  }
}

TEST_F(CheckpointFile, is_not_just_any_model_file) {
  write_model(path_, read_model(path_));
  EXPECT_FALSE(accepted(read_file(path_)));
  EXPECT_FALSE(accepted("something else"));
}

}  // namespace
}  // namespace lockstep
