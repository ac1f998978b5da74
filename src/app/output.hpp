#pragma once

#include <functional>
#include <string>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// Writes to standard output. Throws Error (internal) if that fails.
void print(const std::string& text);

/// Runs `work` on rank 0 while the others wait; its failure is everyone's. Collective.
void on_first_rank(Communicator& world, const std::function<void()>& work);

}  // namespace lockstep
