#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// An option gets a value, as somebody wrote it.
struct Assignment {
  std::string name;
  std::string value;
  std::string place;  // "FILE:LINE: " in a config file, empty on the command line
};

/// The lines `name = value` of a config file; `#` starts a comment. Throws Error (usage) that names
/// file and line.
std::vector<Assignment> read_config_file(const std::string& path);

}  // namespace lockstep
