#include <lockstep/model/engine.hpp>

#include <lockstep/core/error.hpp>

#include "reference_engine.hpp"
#include "simd_engine.hpp"
#include "torch_engine.hpp"

namespace lockstep {

std::unique_ptr<Engine> make_engine(const EngineConfig& config, const ModelShape& shape) {
  const bool any_simd = !supported_isas().empty();
  if (config.name == "simd" || (config.name == "auto" && any_simd)) {
    return make_simd_engine(config, shape);
  }
  if (config.name == "reference" || config.name == "auto") {
    return make_reference_engine(config, shape);
  }
  if (config.name == "torch") {
    if (auto engine = make_torch_engine(config, shape)) return engine;
    throw Error(
        ExitCode::usage,
        "this build has no LibTorch; run launch/setup without --no-torch and build again, or "
        "use --engine simd");
  }
  throw Error(ExitCode::usage,
              "unknown engine " + config.name + "; use auto, simd, reference or torch");
}

}  // namespace lockstep
