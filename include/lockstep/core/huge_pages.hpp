#pragma once

#include <cstddef>

namespace lockstep {

/// Asks the system to back a block that nobody has touched yet by pages of 2 MiB (transparent huge
/// pages: madvise or always), as far as it fills them: who reads it here and there then waits less
/// for the TLB. A refusal leaves ordinary pages.
void prefer_huge_pages(void* block, std::size_t bytes) noexcept;

}  // namespace lockstep
