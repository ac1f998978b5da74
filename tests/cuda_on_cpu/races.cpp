#include "races.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <new>
#include <string>

#include "grid.hpp"

extern "C" char __start_shared_memory[] __attribute__((weak));
extern "C" char __stop_shared_memory[] __attribute__((weak));
extern "C" char __executable_start[];
extern "C" char _end[];

namespace cuda_on_cpu {
namespace {

constexpr std::size_t granule = 4;
constexpr std::size_t device_bytes = std::size_t{1} << 34;  // of address space
constexpr std::size_t page = 4096;

/// The last accesses of one kind to a granule.
struct Access {
  std::uint32_t launch = 0, block = 0, interval = 0, thread = 0;
  bool atomic = false, by_many_blocks = false, by_many_threads = false;
};

struct Cell {
  Access read, write;
};

template <typename T>
T* reserve(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

char* const device = reserve<char>(device_bytes);
char* device_end = device;
Cell* const device_cells = reserve<Cell>(device_bytes / granule * sizeof(Cell));
Cell* const shared_cells = reserve<Cell>(std::size_t{1} << 24);
std::map<void*, std::pair<char*, std::size_t>> allocations;

bool active = false;
Access now;  // launch, block, interval and thread that are running
const char* stack_begin = nullptr;
const char* stack_end = nullptr;
const char* arguments_begin = nullptr;
const char* arguments_end = nullptr;

bool is_between(const void* address, const char* begin, const char* end) {
  return address >= begin && address < end;
}

/// Whether there is no order between an earlier access and that of the running thread.
bool races(const Access& before, bool atomic, bool shared) {
  if (before.launch != now.launch || (before.atomic && atomic)) return false;
  // Shared memory is another one for every block; so are the intervals.
  if (!shared && (before.block != now.block || before.by_many_blocks)) return true;
  return before.interval == now.interval && (before.thread != now.thread || before.by_many_threads);
}

void note(Access& last, bool atomic) {
  const bool same_launch = last.launch == now.launch;
  const bool same_block = same_launch && last.block == now.block;
  const bool same_interval = same_block && last.interval == now.interval;
  const bool blocks = same_launch && (last.by_many_blocks || !same_block);
  const bool threads = same_interval && (last.by_many_threads || last.thread != now.thread);
  const bool both = (!same_interval || last.atomic) && atomic;
  last = now;
  last.atomic = both;
  last.by_many_blocks = blocks;
  last.by_many_threads = threads;
}

void check(const void* address, bool write, bool atomic) {
  Cell* cell = nullptr;
  const bool shared = is_between(address, __start_shared_memory, __stop_shared_memory);
  const auto* byte = static_cast<const char*>(address);
  if (shared) {
    cell = &shared_cells[(byte - __start_shared_memory) / granule];
  } else if (is_between(address, device, device_end)) {
    cell = &device_cells[(byte - device) / granule];
  } else {
    if (!is_between(address, __executable_start, _end) &&
        !is_between(address, arguments_begin, arguments_end)) {
      report("a kernel touches host memory");
    }
    return;
  }
  if (races(cell->write, atomic, shared) || (write && races(cell->read, atomic, shared))) {
    report(std::string("threads race for ") + (shared ? "shared" : "device") + " memory: thread " +
           std::to_string(now.thread) + " of block " + std::to_string(place.block.x) +
           (write ? " writes" : " reads"));
  }
  note(write ? cell->write : cell->read, atomic);
}

void access(const void* address, std::size_t bytes, bool write, bool atomic = false) {
  if (!active || is_between(address, stack_begin, stack_end)) return;
  active = false;
  const auto* begin = static_cast<const char*>(address);
  for (std::size_t i = 0; i < bytes; i += granule) check(begin + i, write, atomic);
  active = true;
}

}  // namespace

void begin_launch(const void* arguments, std::size_t bytes) {
  ++now.launch;
  arguments_begin = static_cast<const char*>(arguments);
  arguments_end = arguments_begin + bytes;
}
void begin_block() {
  ++now.block;
  ++now.interval;
}
void next_interval() {
  ++now.interval;
}
void enter_thread(std::size_t thread, const void* end, std::size_t stack_bytes) {
  now.thread = static_cast<std::uint32_t>(thread);
  stack_end = static_cast<const char*>(end);
  stack_begin = stack_end - stack_bytes;
  active = true;
}
void leave_thread() {
  active = false;
}
void return_to_thread() {
  active = true;
}
void atomic_access(const void* address, std::size_t bytes) {
  access(address, bytes, true, true);
}

/// Ends where a page begins that nobody may touch, and holds NaNs at first.
void* allocate_device(std::size_t bytes) {
  const std::lock_guard lock(one_at_a_time);
  const std::size_t size = (bytes + 15) / 16 * 16;
  const std::size_t pages = (size + page - 1) / page * page + page;
  if (device_end + pages > device + device_bytes) throw std::bad_alloc();
  char* const guard = device_end + pages - page;
  ::mprotect(guard, page, PROT_NONE);
  char* const memory = guard - size;
  __builtin_memset(memory, 0xff, size);
  allocations[memory] = {device_end, pages};
  device_end += pages;
  return memory;
}

void free_device(void* memory) {
  const std::lock_guard lock(one_at_a_time);
  const auto [begin, bytes] = allocations.at(memory);
  ::madvise(begin, bytes, MADV_DONTNEED);
  ::mprotect(begin, bytes, PROT_NONE);
  allocations.erase(memory);
}

}  // namespace cuda_on_cpu

using cuda_on_cpu::access;

// What the compiler calls at every access.
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
#define LOCKSTEP_ACCESS(bytes)                  \
  void __tsan_read##bytes(void* p) {            \
    access(p, bytes, false);                    \
  }                                             \
  void __tsan_write##bytes(void* p) {           \
    access(p, bytes, true);                     \
  }                                             \
  void __tsan_unaligned_read##bytes(void* p) {  \
    access(p, bytes, false);                    \
  }                                             \
  void __tsan_unaligned_write##bytes(void* p) { \
    access(p, bytes, true);                     \
  }
LOCKSTEP_ACCESS(1)
LOCKSTEP_ACCESS(2)
LOCKSTEP_ACCESS(4)
LOCKSTEP_ACCESS(8)
LOCKSTEP_ACCESS(16)
void __tsan_read_range(void* p, std::size_t bytes) {
  access(p, bytes, false);
}
void __tsan_write_range(void* p, std::size_t bytes) {
  access(p, bytes, true);
}
}
