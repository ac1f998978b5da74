#include "echo.hpp"

#include <lockstep/model/engine.hpp>

#include "option_table.hpp"

namespace lockstep {

std::string echo(const Command& command, const Options& options) {
  nlohmann::ordered_json json{
      {"lockstep", LOCKSTEP_VERSION}, {"arithmetic", arithmetic_number}, {"command", command.name}};
  for (const Option& option : option_table()) {
    if (option.get && (option.commands & command.bit)) json[option.name] = option.get(options);
  }
  // A path of the user's need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
