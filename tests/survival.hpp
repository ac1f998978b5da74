#pragma once

#include <functional>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// Loses one rank after another, in every kind of call, until one is left; checks with EXPECT what
/// the others find. `die` ends the rank that calls it. Collective; returns on the last rank only.
void lose_all_but_one(Communicator& communicator, const std::function<void()>& die);

}  // namespace lockstep
