#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {

enum class FaultKind { exit, kill, stop, slow, nan, flip, wrong_sum, torn_checkpoint, full_disk };

/// A fault to rehearse: what happens to one rank at one step.
struct Fault {
  FaultKind kind = FaultKind::kill;
  std::size_t rank = 0;    // as numbered when the run began
  std::uint64_t step = 1;  // happens before this step, flip after it
};

/// "rank=2,step=50,kind=kill"; several separated by colons, or "none". Throws Error
/// (usage) that says what is wrong.
std::vector<Fault> parse_faults(const std::string& text);

}  // namespace lockstep
