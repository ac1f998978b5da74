#include <lockstep/core/sha256.hpp>

#include <gtest/gtest.h>

#include <string_view>

namespace lockstep {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Sha256, gives_the_standards_example) {
  EXPECT_EQ(sha256_hex(bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, pieces_hash_as_the_whole) {
  Sha256 hash;
  hash.update(bytes("a"));
  hash.update(bytes("bc"));
  EXPECT_EQ(hash.hex(), sha256_hex(bytes("abc")));
}

}  // namespace
}  // namespace lockstep
