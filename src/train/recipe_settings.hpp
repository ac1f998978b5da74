#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <lockstep/train/run.hpp>

namespace lockstep {

/// What of a recipe decides the weights' bits, by the names of its options; `shards` are those that
/// it comes to.
std::map<std::string, std::string> recipe_settings(const Recipe& recipe, std::size_t shards);

/// What keeps a training that `was` made so from going on after `step` as it is `now`, every
/// setting by name with both values; empty if nothing does. More or fewer epochs change no bit of
/// the steps before where the rate does not depend on them.
std::string recipe_difference(const std::map<std::string, std::string>& was,
                              const std::map<std::string, std::string>& now, bool step_remains);

}  // namespace lockstep
