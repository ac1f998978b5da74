#pragma once

#include <ostream>
#include <vector>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// One thing that every communicator does, checked with EXPECT on each of its ranks.
struct CommBehaviour {
  const char* name;
  void (*check)(Communicator& communicator);
};

inline void PrintTo(const CommBehaviour& behaviour, std::ostream* stream) {
  *stream << behaviour.name;
}

/// The suite that threads and mpi share. Each check is collective, at any number of ranks.
const std::vector<CommBehaviour>& comm_behaviours();

}  // namespace lockstep
