#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// Who computes on which GPU.
struct GpuShare {
  std::optional<std::size_t> own;  // this rank's, as a place in what it offered; else it has none
  std::size_t takers = 0;          // ranks that have one
  bool shared = false;             // some GPU is that of several ranks
};

/// Each rank takes the first of the GPUs that it sees (their ids, at most 16 of them, in CUDA's
/// order; none: it wants none) which no lower rank has taken: so the ranks of a host get one each,
/// by their order there, whether they see all of the host's GPUs or only their own. With
/// `may_share` those that are left take the GPU with the fewest ranks. Collective.
GpuShare share_gpus(Communicator& communicator, std::span<const std::uint64_t> offered,
                    bool may_share);

}  // namespace lockstep
