#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace cuda_on_cpu {

struct Size {
  unsigned x = 1, y = 1, z = 1;
  constexpr Size(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

/// Where the running thread is.
struct Place {
  Size thread, block, block_size, grid_size;
  std::size_t dynamic_shared_bytes = 0;
};
extern Place place;

/// A __syncthreads of the source.
struct Barrier {
  std::string file;
  int line = 0;
  bool operator==(const Barrier&) const = default;
};

/// How grids are run, from now on, and what was seen.
struct Control {
  std::uint64_t seed = 1;              // of the order of threads and blocks
  Barrier ignored{};                   // threads walk on there
  std::vector<Barrier> barriers{};     // that threads came to
  std::vector<std::string> reports{};  // races, divergent barriers, host memory touched by a kernel
  std::size_t report_count = 0;        // the first of them are kept
  std::size_t graph_launches = 0;
  bool graphs_fail = false;       // to be launched
  int shared_limit = 227 * 1024;  // bytes of shared memory that a block may have
  std::size_t damaged_copy = 0;   // copies to the device of so many bytes arrive with a wrong bit
};
extern Control control;

/// Held while a grid runs or memory is taken: ranks may be threads.
extern std::mutex one_at_a_time;

void report(const std::string& line);

/// Runs kernel(call) once for each thread of the grid; `call` holds the kernel's arguments.
void run_grid(Size grid, Size block, void (*kernel)(const void*), const void* call,
              std::size_t call_bytes);

// Of a running thread:

void barrier(const char* file, int line);
/// The value of the lane whose number differs in the bits `lanes`.
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned lanes);
void atomic_access(const void* address, std::size_t bytes);

struct Stream;
struct Graph;
struct Event;
/// Of this thread, ready to be launched.
extern thread_local int living_graphs;
/// Does `work` in the stream's order, or puts it into the graph that is being captured.
void enqueue(Stream* stream, std::function<void()> work);
/// The same for work that is begun again until it says that it is done.
void enqueue_waiting(Stream* stream, std::function<bool()> work);

}  // namespace cuda_on_cpu
