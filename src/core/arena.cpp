#include <lockstep/core/arena.hpp>

#include <new>

#include <lockstep/core/huge_pages.hpp>

namespace lockstep {
namespace {

constexpr std::size_t page = std::size_t{2} << 20;
constexpr std::size_t bookkeeping = 4096;  // of the resource that cuts a page into blocks

class HugePages final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override {
    const std::size_t size = (bytes + page - 1) / page * page;
    void* const memory = ::operator new (size, std::align_val_t{page});
    prefer_huge_pages(memory, size);
    return memory;
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override {
    ::operator delete (memory, std::align_val_t{page});
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

/// Under the address sanitizer every block stands alone, so that it sees where a block ends.
std::pmr::memory_resource* pages() {
#ifdef __SANITIZE_ADDRESS__
  return std::pmr::new_delete_resource();
#else
  static HugePages pages;
  return &pages;
#endif
}

}  // namespace

Arena::Arena() : blocks_(page - bookkeeping, pages()) {}

void* Arena::do_allocate(std::size_t bytes, std::size_t alignment) {
#ifdef __SANITIZE_ADDRESS__
  return pages()->allocate(bytes, alignment);
#else
  return blocks_.allocate(bytes, alignment);
#endif
}

void Arena::do_deallocate([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes,
                          [[maybe_unused]] std::size_t alignment) {
#ifdef __SANITIZE_ADDRESS__
  pages()->deallocate(block, bytes, alignment);
#endif
}

}  // namespace lockstep
