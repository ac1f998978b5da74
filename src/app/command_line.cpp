#include "command_line.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

#include <lockstep/core/error.hpp>

#include "assignment.hpp"
#include "help.hpp"
#include "nearest.hpp"
#include "option_table.hpp"

namespace lockstep {

namespace {

namespace po = boost::program_options;

/// `near`: what was probably meant, if there is such a thing.
[[noreturn]] void refuse(const std::string& what, const Command* command,
                         const std::string& near = {}) {
  throw Error(ExitCode::usage,
              fmt::format("{}; {} lockstep {}--help", what,
                          near.empty() ? "see" : fmt::format("did you mean {}? See", near),
                          command ? std::string(command->name) + " " : ""));
}

const Command& find_command(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == word) return command;
    names.emplace_back(command.name);
  }
  if (word.starts_with("-")) refuse("unknown option " + word, nullptr);
  refuse("unknown command " + word, nullptr, nearest(word, names));
}

/// Every option of the table, so that one of another command can be told from an unknown one.
po::options_description boost_options() {
  po::options_description options;
  options.add_options()("help", "");
  for (const Option& row : option_table()) {
    if (row.flag) {
      options.add_options()(row.name.c_str(), "");
    } else {
      options.add_options()(row.name.c_str(), po::value<std::string>(), "");
    }
  }
  return options;
}

/// Names are taken whole: Boost's guessing of prefixes is off.
std::vector<po::option> split(const std::vector<std::string>& words, const Command& command) {
  namespace style = po::command_line_style;
  const po::options_description options = boost_options();
  try {
    return po::command_line_parser(words)
        .options(options)
        .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
        .allow_unregistered()
        .run()
        .options;
  } catch (const po::error_with_option_name& error) {
    const std::string name = error.get_option_name();
    const Option* row =
        find_option(std::string_view(name).substr(std::min<std::size_t>(2, name.size())));
    refuse(name + (row && !row->flag ? " needs a value" : " takes no value"), &command);
  } catch (const po::error& error) {
    refuse(error.what(), &command);
  }
}

std::string spelled(const Assignment& given) {
  return given.place.empty() ? "--" + given.name : given.place + given.name;
}

const Option& row_of(const Assignment& given, const Command& command) {
  if (const Option* row = find_option(given.name)) return *row;
  const std::string dashes = given.place.empty() ? "--" : "";
  std::vector<std::string> names;
  for (const Option& row : option_table()) {
    if (row.commands & command.bit) names.push_back(dashes + row.name);
  }
  const std::string word = dashes + given.name;
  refuse(given.place + "unknown option " + word, &command, nearest(word, names));
}

/// The options and other words of the command line.
struct Given {
  bool help = false;
  std::vector<Assignment> assignments;
  std::vector<std::string> arguments;
};

void add_argument(const std::string& word, const Command& command, Given& given) {
  if (word == "-h") {
    given.help = true;
  } else if (word.size() > 1 && word[0] == '-') {
    refuse("unknown option " + word, &command);
  } else {
    given.arguments.push_back(word);
  }
}

Given read_words(const std::vector<std::string>& words, const Command& command) {
  Given given;
  for (const po::option& part : split(words, command)) {
    if (part.position_key >= 0) {
      add_argument(part.value.front(), command, given);
      continue;
    }
    if (part.string_key == "help") {
      given.help = true;
      continue;
    }
    const std::string value = part.value.empty() ? "true" : part.value.front();
    const Assignment assignment{part.string_key, value, ""};
    const Option& row = row_of(assignment, command);
    if (!(row.commands & command.bit)) {
      refuse(fmt::format("{} takes no option --{}", command.name, row.name), &command);
    }
    if (!row.flag && part.original_tokens.size() > 1 && value.starts_with("--")) {
      refuse(fmt::format("--{} needs a value", row.name), &command);
    }
    given.assignments.push_back(assignment);
  }
  return given;
}

void refuse_arguments(const Given& given, const Command& command) {
  if (given.arguments.empty() || !command.arguments.empty()) return;
  refuse(fmt::format("unexpected word '{}'", given.arguments.front()), &command);
}

/// The last one given of each name; those of the command line come after those of the config file.
/// A config file may serve several commands: it may name every option, and each command takes its
/// own.
std::map<std::string, Assignment> merge(const Given& given, const Command& command) {
  std::map<std::string, Assignment> last;
  const auto config = std::find_if(given.assignments.rbegin(), given.assignments.rend(),
                                   [](const Assignment& a) { return a.name == "config"; });
  if (config != given.assignments.rend()) {
    for (Assignment& line : read_config_file(config->value)) {
      if (line.name == "config") refuse(spelled(line) + ": a config file names no other", &command);
      row_of(line, command);
      last[line.name] = std::move(line);
    }
  }
  for (const Assignment& assignment : given.assignments) last[assignment.name] = assignment;
  return last;
}

void set(Options& options, const Assignment& given) {
  const Option& row = *find_option(given.name);
  if (!row.set || row.set(options, given.value)) return;
  throw Error(ExitCode::usage, fmt::format("{} {}: must be {}", spelled(given),
                                           given.value.empty() ? "''" : given.value, row.allowed));
}

Options make_options(const Given& given, const Command& command) {
  const auto assignments = merge(given, command);
  Options options;
  options.arguments = given.arguments;
  const auto recipe = assignments.find("recipe");
  if (recipe != assignments.end()) {
    for (const auto& [name, value] : recipe_values(recipe->second.value)) {
      set(options, {name, value, ""});
    }
  }
  for (const auto& [name, assignment] : assignments) set(options, assignment);
  Recipe& sizes = options.run.recipe;
  if (sizes.shards > sizes.batch_size) {
    refuse(fmt::format("--shards {}: must be at most --batch-size, {}", sizes.shards,
                       sizes.batch_size),
           &command);
  }
  if (sizes.shards == 0) sizes.shards = std::max<std::size_t>(1, sizes.batch_size / 8);
  return options;
}

}  // namespace

Invocation parse_command_line(const std::vector<std::string>& words) {
  Invocation invocation;
  if (words.empty()) refuse("no command given", nullptr);
  if (words[0] == "--help" || words[0] == "-h") invocation.text = program_help();
  if (words[0] == "--version") invocation.text = version_line();
  if (!invocation.text.empty()) return invocation;

  const Command& command = find_command(words[0]);
  const Given given = read_words({words.begin() + 1, words.end()}, command);
  if (given.help) {
    invocation.text = command_help(command);
    return invocation;
  }
  refuse_arguments(given, command);
  invocation.command = &command;
  invocation.options = make_options(given, command);
  return invocation;
}

}  // namespace lockstep
