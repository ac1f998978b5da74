#include "process_status.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <string>

namespace lockstep {

ProcessStatus process_status(std::int64_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  if (!std::getline(file, text)) return {};
  // PID (NAME) STATE ...: the state is field 3, the start time field 22; a name may hold anything.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  char state = 0;
  fields >> state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  ProcessStatus status;
  fields >> status.born;
  status.alive = state != 'Z' && state != 'X';
  status.stopped = state == 'T' || state == 't';
  return status;
}

}  // namespace lockstep
