#include "option_table.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "commands.hpp"

namespace lockstep {

namespace {

constexpr unsigned trains = train_bit | parity_bit;
constexpr unsigned computes = trains | bench_bit | evaluate_bit | predict_bit;
constexpr unsigned models = evaluate_bit | predict_bit | inspect_bit;
constexpr unsigned all = computes | data_bit | inspect_bit;

std::vector<Option> file_options() {
  return {
      text(
          {.name = "data",
           .group = Group::files,
           .commands = trains | bench_bit | evaluate_bit | data_bit,
           .value = "DIR|synthetic",
           .help = "folder of the IDX files, or made digits without files",
           .default_text = "$LOCKSTEP_DATA, else data/mnist"},
          [](auto& o) -> auto& { return o.run.data.data; }),
      text(
          {.name = "out",
           .group = Group::files,
           .commands = train_bit,
           .value = "DIR",
           .help = "the run folder to make, or to go on in",
           .default_text = "runs/<date>-<time>-<process>"},
          [](auto& o) -> auto& { return o.run.out; }),
      whole(
          {.name = "checkpoint-every",
           .group = Group::files,
           .commands = train_bit,
           .value = "STEPS",
           .help =
               "write a checkpoint so often; 0: at the epochs' ends, where there is always one"},
          [](auto& o) -> auto& { return o.run.checkpoints.every; }, 0, 1000000000),
      whole(
          {.name = "keep-checkpoints",
           .group = Group::files,
           .commands = train_bit,
           .value = "N",
           .help = "how many of the newest, beside the best by validation"},
          [](auto& o) -> auto& { return o.run.checkpoints.keep; }, 1, 1000000),
      text(
          {.name = "resume",
           .group = Group::files,
           .commands = train_bit,
           .value = "auto|never|FILE",
           .help =
               "go on from the newest whole checkpoint in --out, start anew, or go on from a file"},
          [](auto& o) -> auto& { return o.run.resume; }),
      text(
          {.name = "model",
           .group = Group::files,
           .commands = models,
           .value = "RUN|FILE",
           .help = "a run folder, or a model file (safetensors)"},
          [](auto& o) -> auto& { return o.model; }),
      {.name = "config",
       .group = Group::files,
       .commands = all,
       .value = "FILE",
       .help = "read options from lines 'name = value'; the command line wins"},
  };
}

std::vector<Option> network_options() {
  return {
      word({.name = "recipe",
            .group = Group::recipe,
            .commands = trains,
            .help = "tuned: recurrent-init identity, decay cosine, clip-norm 1; options given win"},
           [](auto& o) -> auto& { return o.recipe; }, {"article", "tuned"}),
      whole(
          {.name = "hidden",
           .group = Group::recipe,
           .commands = trains | bench_bit,
           .value = "N",
           .help = "units of the recurrent layer"},
          [](auto& o) -> auto& { return o.run.recipe.hidden; }, 1, 1024),
      choice<RecurrentInit>(
          {.name = "recurrent-init",
           .group = Group::recipe,
           .commands = trains,
           .help = "how the recurrent kernel starts"},
          [](auto& o) -> auto& { return o.run.recipe.recurrent; },
          {{"glorot", RecurrentInit::glorot}, {"identity", RecurrentInit::identity}}),
      whole(
          {.name = "seed",
           .group = Group::recipe,
           .commands = trains,
           .value = "N",
           .help = "of the first weights and of the order of the pictures"},
          [](auto& o) -> auto& { return o.run.recipe.seed; }, 0,
          std::numeric_limits<std::uint64_t>::max()),
  };
}

std::vector<Option> batch_options() {
  return {
      whole(
          {.name = "epochs",
           .group = Group::recipe,
           .commands = trains,
           .value = "N",
           .help = "passes over the training pictures"},
          [](auto& o) -> auto& { return o.run.recipe.epochs; }, 1, 100000),
      whole(
          {.name = "batch-size",
           .group = Group::recipe,
           .commands = trains | bench_bit,
           .value = "N",
           .help = "pictures in a step, over all ranks"},
          [](auto& o) -> auto& { return o.run.recipe.batch_size; }, 1, 65536),
      whole(
          {.name = "shards",
           .group = Group::recipe,
           .commands = trains | bench_bit,
           .value = "N",
           .help = "parts of the training set; the most ranks there can be",
           .default_text = "batch-size / 8"},
          [](auto& o) -> auto& { return o.run.recipe.shards; }, 1, 65536),
  };
}

std::vector<Option> schedule_options() {
  return {
      real(
          {.name = "learning-rate",
           .group = Group::recipe,
           .commands = trains,
           .value = "RATE",
           .help = "Adam's step size"},
          [](auto& o) -> auto& { return o.run.recipe.schedule.learning_rate; }, 0, false),
      choice<Decay>({.name = "decay",
                     .group = Group::recipe,
                     .commands = trains,
                     .help = "of the learning rate, down to 0 at the last step"},
                    [](auto& o) -> auto& { return o.run.recipe.schedule.decay; },
                    {{"constant", Decay::constant}, {"cosine", Decay::cosine}}),
      whole(
          {.name = "warmup-steps",
           .group = Group::recipe,
           .commands = trains,
           .value = "N",
           .help = "steps in which the learning rate rises to its value"},
          [](auto& o) -> auto& { return o.run.recipe.schedule.warmup_steps; }, 0, 1000000000),
      real(
          {.name = "clip-norm",
           .group = Group::recipe,
           .commands = trains,
           .value = "NORM",
           .help = "largest global norm of the gradient; 0: any"},
          [](auto& o) -> auto& { return o.run.recipe.adam.clip_norm; }, 0, true),
  };
}

std::vector<Option> machine_options() {
  return {
      whole(
          {.name = "threads",
           .group = Group::machine,
           .commands = computes & ~static_cast<unsigned>(predict_bit),
           .value = "N",
           .help = "of each rank; 0: as many as it may use processors"},
          [](auto& o) -> auto& { return o.run.threads; }, 0, 1024),
      word({.name = "engine",
            .group = Group::machine,
            .commands = computes,
            .help = "what computes the gradients"},
           [](auto& o) -> auto& { return o.run.engine.name; },
           {"auto", "simd", "reference", "torch"}),
      word({.name = "isa",
            .group = Group::machine,
            .commands = computes,
            .help = "instruction set of the engine simd"},
           [](auto& o) -> auto& { return o.run.engine.isa; }, {"auto", "avx2", "avx512", "neon"}),
      flag(
          {.name = "dense",
           .group = Group::machine,
           .commands = trains | bench_bit,
           .help = "compute with blank pixels too (slower, for comparisons)"},
          [](auto& o) -> auto& { return o.run.engine.dense; }, true),
      word({.name = "comm",
            .group = Group::machine,
            .commands = trains | bench_bit,
            .help = "how ranks talk, and sum what lies on GPUs; auto: mpi under mpirun or\n        "
                    "srun, and nccl where each rank has a GPU"},
           [](auto& o) -> auto& { return o.run.comm.name; }, {"auto", "local", "mpi", "nccl"}),
      word({.name = "device",
            .group = Group::machine,
            .commands = trains | bench_bit,
            .help = "what a rank computes on; auto: a GPU where there is one for it"},
           [](auto& o) -> auto& { return o.run.device; }, {"auto", "cpu", "cuda"}),
      choice<EvaluateOn>({.name = "evaluate",
                          .group = Group::machine,
                          .commands = train_bit,
                          .help = "which ranks evaluate"},
                         [](auto& o) -> auto& { return o.run.evaluate; },
                         {{"rank0", EvaluateOn::rank0}, {"all", EvaluateOn::all}}),
  };
}

Option hang_option() {
  return real(
      {.name = "hang-timeout",
       .group = Group::machine,
       .commands = train_bit,
       .value = "SECONDS",
       .help =
           "name and end a rank that has not moved for so long while others wait for it; longer\n"
           "        than a disk may stand still; 0: never"},
      [](auto& o) -> auto& { return o.hang_timeout; }, 0, true);
}

Option inject_option() {
  Option row{
      .name = "inject",
      .group = Group::machine,
      .commands = train_bit,
      .value = "rank=N,step=N,kind=KIND",
      .help =
          "rehearse a fault: before that step the rank ends (exit|kill), hangs (stop), "
          "takes 20 ms\n        more a step (slow), fails (error), has a weight that is NaN "
          "(nan), truncates the newest\n        checkpoint (torn-checkpoint), flips a bit of "
          "it (flip-checkpoint) or finds the disk\n        full (full-disk); in the step it "
          "gets a wrong-sum, or sums a wrong\n        gradient, which nobody can find "
          "(flip-gradient); after it a bit flips in its weights (flip)\n        or Adam's "
          "moments (flip-moment). With ,place=N,bit=N: which value, which bit.\n        "
          "Several: joined by colons"};
  row.set = [](Options& options, const std::string& given) {
    options.run.faults = parse_faults(given);
    options.inject = given;
    return true;
  };
  row.get = [](const Options& options) { return options.inject; };
  return row;
}

Option ranks_option() {
  Option row{.name = "ranks",
             .group = Group::machine,
             .commands = parity_bit,
             .value = "N,N...",
             .help = "the numbers of ranks to compare, the first with the others"};
  row.allowed = "different whole numbers from 1 to 1024, separated by commas";
  row.set = [](Options& options, const std::string& given) {
    return parse_list(given, 1024, options.ranks);
  };
  row.get = [](const Options& options) { return fmt::format("{}", fmt::join(options.ranks, ",")); };
  return row;
}

std::vector<Option> output_options() {
  return {
      whole(
          {.name = "steps",
           .group = Group::output,
           .commands = bench_bit,
           .value = "N",
           .help = "steps to time"},
          [](auto& o) -> auto& { return o.steps; }, 1, 1000000),
      real(
          {.name = "to-accuracy",
           .group = Group::output,
           .commands = bench_bit,
           .value = "SHARE",
           .help = "then train until this share of the test set is right; 0: do not"},
          [](auto& o) -> auto& { return o.to_accuracy; }, 0, true),
      text(
          {.name = "export",
           .group = Group::output,
           .commands = bench_bit,
           .value = "DIR",
           .help = "measure nothing; write the first weights (start.safetensors) and each of "
                   "--steps steps' training pictures (order.txt), for other trainers"},
          [](auto& o) -> auto& { return o.export_folder; }),
      flag(
          {.name = "json",
           .group = Group::output,
           .commands = bench_bit | predict_bit | evaluate_bit | inspect_bit,
           .help = "print JSON"},
          [](auto& o) -> auto& { return o.json; }, true),
      flag(
          {.name = "quiet",
           .group = Group::output,
           .commands = train_bit,
           .help = "print only the last line, the weights' SHA-256, and errors"},
          [](auto& o) -> auto& { return o.run.console.quiet; }, true),
      flag(
          {.name = "no-progress",
           .group = Group::output,
           .commands = train_bit,
           .help = "no progress line, even on a terminal"},
          [](auto& o) -> auto& { return o.run.console.progress; }, false),
  };
}

}  // namespace

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = [] {
    std::vector<Option> rows;
    for (auto& part : {file_options(),
                       network_options(),
                       batch_options(),
                       schedule_options(),
                       machine_options(),
                       {hang_option(), inject_option(), ranks_option()},
                       output_options()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return table;
}

const Option* find_option(std::string_view name) {
  const auto& table = option_table();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Option& o) { return o.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::pair<std::string, std::string>> recipe_values(std::string_view recipe) {
  if (recipe != "tuned") return {};
  return {{"recurrent-init", "identity"},
          {"learning-rate", "0.001"},
          {"decay", "cosine"},
          {"clip-norm", "1"}};
}

}  // namespace lockstep
