#pragma once

#include <string>
#include <vector>

#include "commands.hpp"

namespace lockstep {

/// What a command line asks for: a command, or only a text to be shown.
struct Invocation {
  const Command* command = nullptr;
  Options options;
  std::string text;  // of --help or --version; then no command is to be run
};

/// Understands the words after the program's name. Values come from the command line, else the
/// config file, else the recipe, else the defaults. Throws Error (usage).
Invocation parse_command_line(const std::vector<std::string>& words);

}  // namespace lockstep
