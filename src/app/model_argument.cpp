#include "model_argument.hpp"

#include <lockstep/core/error.hpp>

namespace lockstep {

std::filesystem::path model_argument(const Options& options) {
  if (options.model.empty()) {
    throw Error(ExitCode::usage,
                "no model given; name a run folder or a safetensors file: --model RUN");
  }
  return model_path(options.model);
}

std::unique_ptr<Engine> make_engine(const Options& options, const Model& model,
                                    std::size_t workers) {
  EngineConfig config = options.run.engine;
  config.workers = workers;
  auto engine = make_engine(config, model.shape);
  engine->set_parameters(model.parameters.span());
  return engine;
}

}  // namespace lockstep
