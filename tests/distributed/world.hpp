#pragma once

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// All ranks of this test program. Every rank runs the same tests in the same order; one that gives
/// up (ASSERT) before a collective call leaves the others to the test's time limit.
Communicator& test_world();

}  // namespace lockstep
