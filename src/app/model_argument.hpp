#pragma once

#include <memory>

#include <lockstep/model/engine.hpp>
#include <lockstep/train/model_file.hpp>

#include "options.hpp"

namespace lockstep {

/// The file that --model names. Throws Error (usage) where the option is missing.
std::filesystem::path model_argument(const Options& options);

/// An engine with the model's parameters, for `workers` threads. Throws Error (non_finite) naming
/// the first parameter that is not finite.
std::unique_ptr<Engine> make_engine(const Options& options, const Model& model,
                                    std::size_t workers);

}  // namespace lockstep
