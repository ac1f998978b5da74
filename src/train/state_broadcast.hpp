#pragma once

#include <cstddef>
#include <span>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/train/training_state.hpp>

namespace lockstep {

/// Those of rank `root` become everyone's. Equal sizes. Collective.
template <typename Values>
void broadcast_values(Communicator& world, Values& values, std::size_t root) {
  world.broadcast(std::as_writable_bytes(std::span(values)), root);
}

/// The same for the state's blocks; its step is the caller's.
inline void broadcast_blocks(Communicator& world, TrainingState& state, std::size_t root) {
  broadcast_values(world, state.parameters, root);
  broadcast_values(world, state.first_moment, root);
  broadcast_values(world, state.second_moment, root);
}

}  // namespace lockstep
