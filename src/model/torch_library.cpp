// The engine `torch` from its own library, which is loaded when it is asked for.
#include "torch_engine.hpp"

#include <dlfcn.h>

#include <string>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

using NewEngine = Engine*(const EngineConfig&, const ModelShape&);

/// It stays loaded: LibTorch's own threads may outlive its last engine.
NewEngine* load() {
  void* const library = ::dlopen(LOCKSTEP_TORCH_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  void* const found = library ? ::dlsym(library, "lockstep_new_torch_engine") : nullptr;
  if (found) return reinterpret_cast<NewEngine*>(found);
  throw Error(ExitCode::usage, std::string("the engine torch cannot be loaded (") + ::dlerror() +
                                   "); run launch/build again");
}

}  // namespace

std::unique_ptr<Engine> make_torch_engine(const EngineConfig& config, const ModelShape& shape) {
  static NewEngine* const new_engine = load();
  return std::unique_ptr<Engine>(new_engine(config, shape));
}

}  // namespace lockstep
