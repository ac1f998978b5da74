#pragma once

#include <functional>
#include <string>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// Writes to standard output. Throws Error (internal) if that fails.
void print(const std::string& text);

/// From here on a reader of standard output that goes away (`lockstep train | head -1`) is a
/// request to stop, as SIGINT is, so that all ranks end after the same step with a whole model.
void stop_when_output_closes();

/// Runs `work` on rank 0 while the others wait; its failure is everyone's. Collective.
void on_first_rank(Communicator& world, const std::function<void()>& work);

}  // namespace lockstep
