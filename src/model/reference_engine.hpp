#pragma once

#include <memory>

#include <lockstep/model/engine.hpp>

namespace lockstep {

/// The specification: docs/arithmetic.md as a program, one value at a time.
std::unique_ptr<Engine> make_reference_engine(const EngineConfig& config, const ModelShape& shape);

}  // namespace lockstep
