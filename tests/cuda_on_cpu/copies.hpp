#pragma once

#include <cstddef>

namespace cuda_on_cpu {

/// Of 16 bytes to shared memory, begun by a thread; of zeros, where `from` is null.
struct Copy {
  void* to = nullptr;
  const void* from = nullptr;
};

// Of the running thread:

void begin_copy(const Copy& copy);
void end_copy_group();
/// Takes the oldest copy that is in a group, but in none of the newest `count`. False: there is
/// none.
bool next_copy(std::size_t count, Copy& copy);

/// The block's threads have ended; reports copies that nobody waited for.
void forget_copies();

}  // namespace cuda_on_cpu
