#include "model_argument.hpp"

#include <fmt/format.h>

#include <cmath>

#include <lockstep/core/error.hpp>

namespace lockstep {

namespace {

void expect_finite(const Options& options, const Model& model) {
  for (const Tensor& tensor : tensors(model.shape)) {
    const auto values = model.parameters.span().subspan(tensor.offset, tensor.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isfinite(values[i])) continue;
      throw Error(ExitCode::non_finite,
                  fmt::format("{}: value {} of {} is {}; train the model again, with --clip-norm 1 "
                              "or a lower --learning-rate",
                              options.model, i, tensor.name, values[i]));
    }
  }
}

}  // namespace

std::filesystem::path model_argument(const Options& options) {
  if (options.model.empty()) {
    throw Error(ExitCode::usage,
                "no model given; name a run folder or a safetensors file: --model RUN");
  }
  return model_path(options.model);
}

std::unique_ptr<Engine> make_engine(const Options& options, const Model& model,
                                    std::size_t workers) {
  expect_finite(options, model);
  EngineConfig config = options.run.engine;
  config.workers = workers;
  auto engine = make_engine(config, model.shape);
  engine->set_parameters(model.parameters.span());
  return engine;
}

}  // namespace lockstep
