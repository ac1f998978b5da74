#pragma once

#include <cstddef>

namespace cuda_on_cpu {

// The kernels may be compiled with -fsanitize=thread, but not linked with its library: then every
// access to memory comes here, and is one of a running thread between enter_thread and
// leave_thread. Two accesses of different threads to the same four bytes race if one writes, unless
// both are atomic, or a barrier of their block lies between them; no order is between blocks of a
// launch.

/// Of a kernel whose arguments lie there.
void begin_launch(const void* arguments, std::size_t bytes);
void begin_block();
/// The block's threads went through a barrier.
void next_interval();

void enter_thread(std::size_t thread, const void* stack_end, std::size_t stack_bytes);
void leave_thread();
/// As before leave_thread.
void return_to_thread();

/// Device memory: reported where a kernel touches other memory than this, its stack, and statics.
void* allocate_device(std::size_t bytes);
void free_device(void* memory);

}  // namespace cuda_on_cpu
