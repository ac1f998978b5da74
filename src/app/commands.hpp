#pragma once

#include <span>
#include <string_view>

#include <lockstep/core/error.hpp>

#include "options.hpp"

namespace lockstep {

/// One bit per command, for the option table's "which commands take this".
enum CommandBit : unsigned {
  train_bit = 1,
  evaluate_bit = 2,
  predict_bit = 4,
  parity_bit = 8,
  bench_bit = 16,
  data_bit = 32,
  inspect_bit = 64,
};

/// A command of the program. `run` is collective over `world` and throws Error for what the user
/// can mend.
struct Command {
  std::string_view name;
  CommandBit bit;
  std::string_view arguments;  // the words that it takes beside options, for the usage line
  std::string_view summary;
  void (*run)(const Options& options, Communicator& world);
};

/// All commands, in the order of the help.
std::span<const Command> commands();
const Command& command(CommandBit bit);

void run_train(const Options& options, Communicator& world);
void run_evaluate(const Options& options, Communicator& world);
void run_predict(const Options& options, Communicator& world);
void run_parity(const Options& options, Communicator& world);
void run_bench_command(const Options& options, Communicator& world);
void run_data(const Options& options, Communicator& world);
void run_inspect(const Options& options, Communicator& world);

}  // namespace lockstep
