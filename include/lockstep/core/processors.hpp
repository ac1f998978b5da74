#pragma once

#include <vector>

namespace lockstep {

/// The numbers of the processors that the calling thread may run on (its affinity mask), ascending.
std::vector<int> allowed_processors();

/// How many processors' time the control group grants to the process; infinity where it sets no
/// limit.
double processor_quota();

}  // namespace lockstep
