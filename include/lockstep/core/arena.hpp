#pragma once

#include <cstddef>
#include <memory_resource>

namespace lockstep {

/// The blocks of one owner side by side, in pages of 2 MiB where the system gives them (transparent
/// huge pages: madvise or always): kernels that walk over hundreds of rows in several blocks then
/// don't wait for the TLB, and the blocks don't compete for the same part of a cache by chance. All
/// of it is freed with the arena, which outlives its blocks. One thread at a time.
class Arena final : public std::pmr::memory_resource {
 public:
  Arena();

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::pmr::monotonic_buffer_resource blocks_;
};

}  // namespace lockstep
