#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

/// How many letters must be put in, taken out or exchanged to turn `a` into `b` (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that is likely meant by a mistyped `word`; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace lockstep
