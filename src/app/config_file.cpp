#include "assignment.hpp"

#include <cerrno>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>

namespace lockstep {

namespace {

constexpr std::size_t largest_file = 1 << 20;
constexpr const char* blanks = " \t\r";

std::string trim(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// What stands before a `#` that starts the line or follows a blank.
std::string without_comment(const std::string& line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '#') continue;
    if (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t') return line.substr(0, i);
  }
  return line;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(largest_file + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file && !file.eof()) {
    throw Error(ExitCode::usage,
                fmt::format("--config {}: cannot be read: {}", path, system_error_text(errno)));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_file) {
    throw Error(ExitCode::usage, fmt::format("--config {}: larger than 1 MiB, so it is no config "
                                             "file of lines 'name = value'",
                                             path));
  }
  return text;
}

}  // namespace

std::vector<Assignment> read_config_file(const std::string& path) {
  std::istringstream text(read_text(path));
  std::vector<Assignment> assignments;
  std::string line;
  for (std::size_t number = 1; std::getline(text, line); ++number) {
    line = trim(without_comment(line));
    if (line.empty()) continue;
    const std::string place = fmt::format("{}:{}: ", path, number);
    const std::size_t equals = line.find('=');
    const std::string name = trim(line.substr(0, equals));
    if (equals == std::string::npos || name.empty()) {
      throw Error(ExitCode::usage, place + "expected 'name = value', say 'epochs = 10'");
    }
    assignments.push_back({name, trim(line.substr(equals + 1)), place});
  }
  return assignments;
}

}  // namespace lockstep
