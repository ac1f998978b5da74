#pragma once

#include <string>

namespace lockstep {

/// The name of this host, as gethostname() gives it.
std::string host_name();

}  // namespace lockstep
