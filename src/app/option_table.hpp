#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "option.hpp"

namespace lockstep {

/// The one list of options, sorted by group. Not listed, as they are no settings: --help,
/// --version.
const std::vector<Option>& option_table();

/// Null if there is no such option.
const Option* find_option(std::string_view name);

/// The values of the options that a recipe sets, unless they are given.
std::vector<std::pair<std::string, std::string>> recipe_values(std::string_view recipe);

}  // namespace lockstep
