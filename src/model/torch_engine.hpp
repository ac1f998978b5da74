#pragma once

#include <memory>

#include <lockstep/model/engine.hpp>

namespace lockstep {

/// The independent oracle: the same network in LibTorch, differentiated by its autograd. Its
/// rounding is its own, so its bits are not those of the other engines. Null where the build has no
/// LibTorch.
std::unique_ptr<Engine> make_torch_engine(const EngineConfig& config, const ModelShape& shape);

}  // namespace lockstep
