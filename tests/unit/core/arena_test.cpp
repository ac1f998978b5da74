#include <lockstep/core/arena.hpp>

#include <gtest/gtest.h>

#include <algorithm>

#include <cstdint>
#include <vector>

#include <lockstep/core/buffer.hpp>

namespace lockstep {
namespace {

TEST(Arena, gives_blocks_of_their_own_that_start_at_a_page) {
  Arena arena;
  std::vector<Buffer<std::uint32_t>> blocks;
  for (std::uint32_t i = 0; i < 40; ++i) blocks.emplace_back(1000 + i, &arena);
  for (std::uint32_t i = 0; i < 40; ++i) std::ranges::fill(blocks[i].span(), i);
  for (std::uint32_t i = 0; i < 40; ++i) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks[i].data()) % Buffer<std::uint32_t>::alignment,
              0u);
    for (const std::uint32_t value : blocks[i].span()) ASSERT_EQ(value, i);
  }
}

TEST(Arena, gives_a_block_larger_than_its_pages) {
  Arena arena;
  Buffer<std::uint8_t> large(std::size_t{5} << 20, &arena);
  large[large.size() - 1] = 7;
  EXPECT_EQ(large[0], 0);
  EXPECT_EQ(large[large.size() - 1], 7);
}

TEST(Buffer, moves_with_its_memory) {
  Arena arena;
  Buffer<int> from(10, &arena);
  from[3] = 5;
  const int* const data = from.data();
  Buffer<int> to = std::move(from);
  EXPECT_EQ(to.data(), data);
  EXPECT_EQ(to[3], 5);
  EXPECT_EQ(from.size(), 0u);
}

}  // namespace
}  // namespace lockstep
