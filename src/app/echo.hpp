#pragma once

#include <string>

#include "commands.hpp"

namespace lockstep {

/// The content of config.json: version, arithmetic, command, and the value of each of its options.
std::string echo(const Command& command, const Options& options);

}  // namespace lockstep
