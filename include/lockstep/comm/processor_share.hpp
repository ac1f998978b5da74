#pragma once

#include <cstddef>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// How many threads this rank may run without taking processors from its neighbours: a processor that
/// several ranks of one host may use is shared equally among them. At least 1. Collective.
std::size_t processor_share(Communicator& communicator);

}  // namespace lockstep
