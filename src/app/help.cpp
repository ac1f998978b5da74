#include "help.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "option_table.hpp"

namespace lockstep {

namespace {

constexpr std::array<std::pair<Group, const char*>, 4> groups{{
    {Group::files, "Files"},
    {Group::recipe, "Recipe (decides the weights)"},
    {Group::machine, "Machine (changes no bit of the weights)"},
    {Group::output, "Output"},
}};

std::string default_of(const Option& option) {
  if (!option.default_text.empty()) return option.default_text;
  if (option.flag || !option.get) return {};
  static const Options defaults;
  const auto value = option.get(defaults);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string option_lines(const Option& option) {
  const std::string value = option.value.empty() ? "" : " " + option.value;
  const std::string standard = default_of(option);
  return fmt::format("  --{}{}\n        {}{}\n", option.name, value, option.help,
                     standard.empty() ? "" : fmt::format(" [{}]", standard));
}

std::string group_lines(Group group, const char* title, const Command& command) {
  std::string lines;
  for (const Option& option : option_table()) {
    if (option.group == group && (option.commands & command.bit)) lines += option_lines(option);
  }
  return lines.empty() ? "" : fmt::format("\n{}:\n{}", title, lines);
}

}  // namespace

std::string program_help() {
  std::string text =
      "Trains a recurrent network on MNIST over any number of ranks, to the same bits.\n\n"
      "Usage: lockstep COMMAND [options]      alone, or under mpirun\n"
      "       lockstep COMMAND --help         the options of a command\n"
      "       lockstep --version\n\nCommands:\n";
  for (const Command& command : commands()) {
    text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  }
  return text +
         "\nExit codes: 0 done, 1 internal error or no parity, 2 wrong usage,\n3 data missing, "
         "damaged or not the same on all ranks,\n4 training became, or the model given is, "
         "non-finite, 5 a rank was lost,\n6 model file, checkpoint or run folder unusable,\n"
         "75 stopped on request, to be gone on with.\n";
}

std::string command_help(const Command& command) {
  const std::string arguments =
      command.arguments.empty() ? "" : fmt::format(" {}", command.arguments);
  std::string text = fmt::format("lockstep {}: {}.\n\nUsage: lockstep {} [options]{}\n",
                                 command.name, command.summary, command.name, arguments);
  for (const auto& [group, title] : groups) text += group_lines(group, title, command);
  return text;
}

std::string version_line() {
  return "lockstep " LOCKSTEP_VERSION "\n";
}

}  // namespace lockstep
