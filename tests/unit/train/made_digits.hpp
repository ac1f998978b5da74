#pragma once

#include <lockstep/train/run.hpp>

namespace lockstep {

/// A run over made digits that prints nothing, a thread a rank; on the CPU, also where a GPU is.
inline RunConfig made_digits() {
  RunConfig config;
  config.data.data = "synthetic";
  config.device = "cpu";
  config.threads = 1;
  config.console.quiet = true;
  return config;
}

}  // namespace lockstep
