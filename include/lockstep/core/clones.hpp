#pragma once

/// A function marked so is compiled for several instruction sets and the loader takes the best. Its
/// bits are the same in each: the compiler may only vectorise over independent values. Not under a
/// sanitizer, whose runtime is not yet there when the loader chooses.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LOCKSTEP_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LOCKSTEP_CLONES
#endif
