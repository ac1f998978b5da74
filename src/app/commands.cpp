#include "commands.hpp"

#include <algorithm>
#include <array>

namespace lockstep {

std::span<const Command> commands() {
  static constexpr std::array table{
      Command{"train", train_bit, "", "train the network and write a run folder", run_train},
      Command{"evaluate", evaluate_bit, "", "loss and accuracy of a trained model", run_evaluate},
      Command{"predict", predict_bit, "FILE.png...", "read digits from images", run_predict},
      Command{"parity", parity_bit, "", "prove that every number of ranks gives the same weights",
              run_parity},
      Command{"bench", bench_bit, "", "measure a step's time and its share of the machine's peak",
              run_bench_command},
      Command{"data", data_bit, "verify|info|synthetic [DIR]",
              "check or describe a data set, or write a made one", run_data},
      Command{"inspect", inspect_bit, "", "what a model file holds", run_inspect},
  };
  return table;
}

const Command& command(CommandBit bit) {
  return *std::ranges::find(commands(), bit, &Command::bit);
}

}  // namespace lockstep
