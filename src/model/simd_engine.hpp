#pragma once

#include <memory>
#include <string>
#include <vector>

#include <lockstep/model/engine.hpp>

namespace lockstep {

/// The engine for speed: Highway's vectors, the arithmetic of the reference bit for bit. Throws
/// Error (usage) if `config.isa` is not one that this machine has.
std::unique_ptr<Engine> make_simd_engine(const EngineConfig& config, const ModelShape& shape);

}  // namespace lockstep
