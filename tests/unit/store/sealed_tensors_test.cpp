#include <lockstep/store/sealed_tensors.hpp>

#include <gmock/gmock.h>

#include <fstream>

#include <lockstep/core/random.hpp>
#include <lockstep/store/file.hpp>

#include "../temporary_folder.hpp"
#include "failure.hpp"

namespace lockstep {
namespace {

using testing::HasSubstr;

TensorFile example() {
  return {{{"bias", {3}, {-0.5f, 0.25f, 1e-40f}}, {"kernel", {2, 2}, {1, 2, 3, 4}}},
          {{"step", "429"}, {"data", "a \"quoted\" name\n"}},
          {}};
}

class SealedTensors : public testing::Test {
 protected:
  SealedTensors() {
    write_sealed(path_, example());
    whole_ = read_file(path_);
  }

  std::string failure_to_read(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    return store_failure([&] { read_sealed(path_); });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "file";
  std::string whole_;
};

TEST_F(SealedTensors, read_back_what_was_written) {
  const TensorFile file = read_sealed(path_);
  EXPECT_EQ(file.metadata, example().metadata);
  EXPECT_EQ(file.find("kernel", {2, 2}).values, example().tensors[1].values);
}

TEST_F(SealedTensors, are_an_ordinary_safetensors_file) {
  EXPECT_EQ(read_tensors(path_).metadata.at("seal").size(), 64u);
}

TEST_F(SealedTensors, cut_anywhere_are_refused) {
  for (std::size_t length = 0; length < whole_.size(); ++length) {
    EXPECT_NE(failure_to_read(whole_.substr(0, length)), "") << length;
  }
  EXPECT_NE(failure_to_read(whole_ + '\0'), "");
}

TEST_F(SealedTensors, with_any_byte_changed_are_refused) {
  for (std::size_t place = 0; place < whole_.size(); ++place) {
    std::string changed = whole_;
    changed[place] = static_cast<char>(changed[place] ^ (1 << place % 8));
    EXPECT_NE(failure_to_read(changed), "") << place;
  }
}

/// JSON would read the same, so that only the bytes tell.
TEST_F(SealedTensors, with_other_blanks_in_the_header_are_refused) {
  const std::size_t blank = whole_.find("}  ");
  std::string changed = whole_;
  changed[blank == std::string::npos ? whole_.find("} ") + 1 : blank + 1] = '\t';
  EXPECT_NO_THROW({
    std::ofstream(path_, std::ios::binary) << changed;
    read_tensors(path_);
  });
  EXPECT_THAT(failure_to_read(changed), HasSubstr("changed or damaged"));
}

TEST_F(SealedTensors, without_a_seal_are_refused) {
  write_tensors(path_, example());
  EXPECT_THAT(store_failure([&] { read_sealed(path_); }), HasSubstr("never sealed"));
}

}  // namespace
}  // namespace lockstep
