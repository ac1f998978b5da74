#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <lockstep/train/run.hpp>

namespace lockstep {

/// Everything that a command line can say: the layers' configs, and what single commands ask for.
struct Options {
  RunConfig run;
  std::string recipe = "article";
  double hang_timeout = 300;                   // seconds, of train
  std::string inject = "none";                 // faults as given; run.faults holds them
  std::string model;                           // a run folder or a safetensors file
  std::vector<std::size_t> ranks{1, 2, 3, 4};  // of parity
  std::size_t steps = 200;                     // of bench
  double to_accuracy = 0;                      // of bench; 0: not asked
  std::string export_folder;                   // of bench; empty: measures
  bool json = false;
  std::vector<std::string> arguments;  // the words that are no options
};

}  // namespace lockstep
