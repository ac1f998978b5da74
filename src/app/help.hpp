#pragma once

#include <string>

#include "commands.hpp"

namespace lockstep {

/// The texts of --help and --version, made from the tables of commands and options.
std::string program_help();
std::string command_help(const Command& command);
std::string version_line();

}  // namespace lockstep
