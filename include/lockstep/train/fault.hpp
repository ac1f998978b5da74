#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

enum class FaultKind {
  exit,
  kill,
  stop,
  slow,
  error,
  nan,
  flip,
  flip_moment,
  flip_gradient,
  wrong_sum,
  torn_checkpoint,
  flip_checkpoint,
  full_disk
};

/// A fault to rehearse: what happens to one rank at one step.
struct Fault {
  FaultKind kind = FaultKind::kill;
  std::size_t rank = 0;    // as numbered when the run began
  std::uint64_t step = 1;  // happens before this step; flip and flip_moment after it

  // For those that change one value of a block. Both wrap around.
  std::optional<std::size_t> place;  // the value's, from 0; each kind has its own default
  unsigned bit = 20;                 // of the value, from the lowest
};

/// "rank=2,step=50,kind=kill"; several separated by colons, or "none". Kinds that change one value
/// take place=N and bit=N too. Throws Error (usage) that says what is wrong.
std::vector<Fault> parse_faults(const std::string& text);

}  // namespace lockstep
