#include "recipe_settings.hpp"

#include <fmt/format.h>

namespace lockstep {
namespace {

constexpr const char* epochs = "epochs";
constexpr const char* decay = "decay";
constexpr const char* constant = "constant";

/// Epochs that may change: the rates of the steps so far are the same, and the steps are there.
bool epochs_are_free(const std::map<std::string, std::string>& now, bool step_remains) {
  return step_remains && now.at(decay) == constant;
}

std::string value_in(const std::map<std::string, std::string>& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? "not known" : found->second;
}

}  // namespace

std::map<std::string, std::string> recipe_settings(const Recipe& recipe, std::size_t shards) {
  const auto text = [](const auto& value) { return fmt::format("{}", value); };
  return {
      {"hidden", text(recipe.hidden)},
      {epochs, text(recipe.epochs)},
      {"batch-size", text(recipe.batch_size)},
      {"shards", text(shards)},
      {"seed", text(recipe.seed)},
      {"recurrent-init", recipe.recurrent == RecurrentInit::identity ? "identity" : "glorot"},
      {"learning-rate", text(recipe.schedule.learning_rate)},
      {decay, recipe.schedule.decay == Decay::cosine ? "cosine" : constant},
      {"warmup-steps", text(recipe.schedule.warmup_steps)},
      {"clip-norm", text(recipe.adam.clip_norm)},
  };
}

std::string recipe_difference(const std::map<std::string, std::string>& was,
                              const std::map<std::string, std::string>& now, bool step_remains) {
  std::string text;
  for (const auto& [name, value] : now) {
    if (name == epochs && epochs_are_free(now, step_remains)) continue;
    const std::string old = value_in(was, name);
    if (old == value) continue;
    text += fmt::format("{}--{} is {}, was {}", text.empty() ? "" : "; ", name, value, old);
  }
  return text;
}

}  // namespace lockstep
