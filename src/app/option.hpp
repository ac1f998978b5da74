#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "options.hpp"

namespace lockstep {

enum class Group { files, recipe, machine, output };

/// One row of the option table: all that parsing, the help, the config file and the echo know of an
/// option. Made by the functions below, which fill in the last four members.
struct Option {
  std::string name = {};
  Group group = Group::files;
  unsigned commands = 0;   // which take it: CommandBits
  std::string value = {};  // what stands for its value in the help; empty for a flag
  std::string help = {};
  std::string default_text = {};  // for the help, where the default's own value says little

  std::string allowed = {};  // ends the sentence "must be ..."
  /// Stores a value given as text; false if it is not allowed.
  std::function<bool(Options&, const std::string&)> set = {};
  /// The value, as the echo shows it. Empty for options that are no setting.
  std::function<nlohmann::ordered_json(const Options&)> get = {};
  bool flag =
      false;  // on the command line the name alone means "true", in a config file it is said
};

bool parse_whole(const std::string& text, std::uint64_t low, std::uint64_t high,
                 std::uint64_t& value);
/// A finite number above `low`, or `low` itself where `inclusive`.
bool parse_real(const std::string& text, double low, bool inclusive, double& value);
bool parse_flag(const std::string& text, bool& value);
/// Whole numbers from 1 to `high`, separated by commas, none twice.
bool parse_list(const std::string& text, std::uint64_t high, std::vector<std::size_t>& values);
std::string range_text(std::uint64_t low, std::uint64_t high);

// In what follows, place(options) is a reference to the member that the option sets.

template <typename Place>
Option whole(Option row, Place place, std::uint64_t low, std::uint64_t high) {
  row.allowed = range_text(low, high);
  row.set = [=](Options& options, const std::string& text) {
    std::uint64_t value = 0;
    if (!parse_whole(text, low, high, value)) return false;
    place(options) = value;
    return true;
  };
  row.get = [=](const Options& options) { return place(options); };
  return row;
}

template <typename Place>
Option real(Option row, Place place, double low, bool inclusive) {
  row.allowed = inclusive ? "a finite number, 0 or more" : "a finite number above 0";
  row.set = [=](Options& options, const std::string& text) {
    return parse_real(text, low, inclusive, place(options));
  };
  row.get = [=](const Options& options) { return place(options); };
  return row;
}

template <typename Place>
Option flag(Option row, Place place, bool meaning) {
  row.flag = true;
  row.allowed = "true or false";
  row.set = [=](Options& options, const std::string& text) {
    bool value = false;
    if (!parse_flag(text, value)) return false;
    place(options) = value == meaning;
    return true;
  };
  row.get = [=](const Options& options) { return place(options) == meaning; };
  return row;
}

template <typename Place>
Option text(Option row, Place place) {
  row.set = [=](Options& options, const std::string& value) {
    place(options) = value;
    return true;
  };
  row.get = [=](const Options& options) { return place(options); };
  return row;
}

/// One of the named values; the place holds a T.
template <typename T, typename Place>
Option choice(Option row, Place place, std::vector<std::pair<std::string, T>> values) {
  for (const auto& [name, value] : values) {
    row.value.append(row.value.empty() ? "" : "|").append(name);
    const char* comma = name == values.back().first ? " or " : ", ";
    row.allowed.append(row.allowed.empty() ? "" : comma).append(name);
  }
  row.set = [=](Options& options, const std::string& text) {
    for (const auto& [name, value] : values) {
      if (name != text) continue;
      place(options) = value;
      return true;
    }
    return false;
  };
  row.get = [=](const Options& options) -> nlohmann::ordered_json {
    for (const auto& [name, value] : values) {
      if (place(options) == value) return name;
    }
    return nullptr;
  };
  return row;
}

/// One of the words; the place holds the word itself.
template <typename Place>
Option word(Option row, Place place, const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const std::string& each : words) values.emplace_back(each, each);
  return choice(std::move(row), place, std::move(values));
}

}  // namespace lockstep
