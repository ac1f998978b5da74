#include "command_line.hpp"

#include <gmock/gmock.h>

#include "config_file.hpp"
#include "usage_failure.hpp"

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Options parse(const Words& words) {
  return parse_command_line(words).options;
}

std::string failure(const Words& words) {
  return usage_failure([&] { parse_command_line(words); });
}

TEST(CommandLine, gives_every_layer_its_values) {
  const Options options = parse({"train", "--epochs", "3", "--hidden=64", "--data", "synthetic",
                                 "--out", "run", "--quiet", "--no-progress", "--engine",
                                 "reference", "--comm", "local", "--threads", "2"});
  EXPECT_EQ(options.run.recipe.epochs, 3);
  EXPECT_EQ(options.run.recipe.hidden, 64);
  EXPECT_EQ(options.run.data.data, "synthetic");
  EXPECT_EQ(options.run.out, "run");
  EXPECT_TRUE(options.run.console.quiet);
  EXPECT_FALSE(options.run.console.progress);
  EXPECT_EQ(options.run.engine.name, "reference");
  EXPECT_EQ(options.run.comm.name, "local");
  EXPECT_EQ(options.run.threads, 2);
}

TEST(CommandLine, defaults_are_the_recipe_of_the_article) {
  const Recipe recipe = parse({"train"}).run.recipe;
  EXPECT_EQ(recipe.hidden, 128);
  EXPECT_EQ(recipe.epochs, 10);
  EXPECT_EQ(recipe.batch_size, 128);
  EXPECT_EQ(recipe.shards, 16);
  EXPECT_EQ(recipe.seed, 1);
  EXPECT_EQ(recipe.recurrent, RecurrentInit::glorot);
  EXPECT_EQ(recipe.schedule.learning_rate, 1e-3);
  EXPECT_EQ(recipe.schedule.decay, Decay::constant);
  EXPECT_EQ(recipe.schedule.warmup_steps, 0);
  EXPECT_EQ(recipe.adam.clip_norm, 0);
}

TEST(CommandLine, the_tuned_recipe_changes_initialiser_decay_and_clipping) {
  const Recipe recipe = parse({"train", "--recipe", "tuned"}).run.recipe;
  EXPECT_EQ(recipe.recurrent, RecurrentInit::identity);
  EXPECT_EQ(recipe.schedule.learning_rate, 1e-3);
  EXPECT_EQ(recipe.schedule.decay, Decay::cosine);
  EXPECT_EQ(recipe.adam.clip_norm, 1);
  EXPECT_EQ(recipe.hidden, 128);
  EXPECT_EQ(recipe.epochs, 10);
  EXPECT_EQ(recipe.batch_size, 128);
}

TEST(CommandLine, options_given_override_the_recipe_in_any_order) {
  for (const Words& words : {Words{"train", "--clip-norm=5", "--recipe=tuned"},
                             Words{"train", "--recipe=tuned", "--clip-norm=5"}}) {
    const Recipe recipe = parse(words).run.recipe;
    EXPECT_EQ(recipe.adam.clip_norm, 5);
    EXPECT_EQ(recipe.schedule.decay, Decay::cosine);
  }
}

TEST(CommandLine, the_command_line_wins_over_the_config_file_and_that_over_the_recipe) {
  const ConfigFile file(
      "recipe = tuned\nepochs = 3\nhidden = 32\ndecay = constant\nquiet = true\n");
  const Options options = parse({"train", "--hidden=64", "--config", file.path()});
  EXPECT_EQ(options.run.recipe.epochs, 3);
  EXPECT_EQ(options.run.recipe.hidden, 64);
  EXPECT_EQ(options.run.recipe.schedule.decay, Decay::constant);
  EXPECT_EQ(options.run.recipe.adam.clip_norm, 1);
  EXPECT_TRUE(options.run.console.quiet);
}

TEST(CommandLine, a_config_file_may_serve_several_commands) {
  const ConfigFile file("epochs = 3\nmodel = run\n");
  EXPECT_EQ(parse({"evaluate", "--config", file.path()}).model, "run");
  EXPECT_EQ(parse({"train", "--config", file.path()}).run.recipe.epochs, 3);
}

TEST(CommandLine, errors_in_a_config_file_name_file_and_line) {
  const ConfigFile range("epochs = 3\nhidden = 0\n");
  EXPECT_EQ(failure({"train", "--config", range.path()}),
            range.path() + ":2: hidden 0: must be a whole number from 1 to 1024");
  const ConfigFile unknown("epoch = 3\n");
  EXPECT_EQ(
      failure({"train", "--config", unknown.path()}),
      unknown.path() + ":1: unknown option epoch; did you mean epochs? See lockstep train --help");
  const ConfigFile nested("config = x\n");
  EXPECT_THAT(failure({"train", "--config", nested.path()}), HasSubstr(":1: config"));
}

TEST(CommandLine, the_last_of_an_option_counts) {
  EXPECT_EQ(parse({"train", "--epochs", "3", "--epochs", "4"}).run.recipe.epochs, 4);
}

TEST(CommandLine, names_are_taken_whole) {
  EXPECT_EQ(failure({"train", "--epoch", "3"}),
            "unknown option --epoch; did you mean --epochs? See lockstep train --help");
}

TEST(CommandLine, an_option_far_from_all_names_gets_no_guess) {
  EXPECT_EQ(failure({"train", "--colour", "auto"}),
            "unknown option --colour; see lockstep train --help");
  EXPECT_EQ(failure({"train", "-x"}), "unknown option -x; see lockstep train --help");
}

TEST(CommandLine, options_of_later_times_are_refused) {
  for (const char* name : {"--tensorboard", "--max-restarts"}) {
    EXPECT_THAT(failure({"train", name, "1"}), HasSubstr("unknown option")) << name;
  }
}

TEST(CommandLine, an_option_of_another_command_is_refused) {
  EXPECT_EQ(failure({"evaluate", "--epochs", "3"}),
            "evaluate takes no option --epochs; see lockstep evaluate --help");
}

TEST(CommandLine, an_unknown_command_gets_the_nearest) {
  EXPECT_EQ(failure({"trian"}), "unknown command trian; did you mean train? See lockstep --help");
  EXPECT_EQ(failure({"frobnicate"}), "unknown command frobnicate; see lockstep --help");
  EXPECT_EQ(failure({}), "no command given; see lockstep --help");
  EXPECT_EQ(failure({"--hlep"}), "unknown option --hlep; see lockstep --help");
}

TEST(CommandLine, a_value_out_of_range_is_told_the_range) {
  EXPECT_EQ(failure({"train", "--epochs", "0"}),
            "--epochs 0: must be a whole number from 1 to 100000");
  EXPECT_EQ(failure({"train", "--epochs", "-1"}),
            "--epochs -1: must be a whole number from 1 to 100000");
  EXPECT_EQ(failure({"train", "--learning-rate", "0"}),
            "--learning-rate 0: must be a finite number above 0");
  EXPECT_EQ(failure({"train", "--engine", "gpu"}),
            "--engine gpu: must be auto, simd, reference or torch");
}

TEST(CommandLine, an_option_without_its_value_is_refused) {
  const std::string line = "--epochs needs a value; see lockstep train --help";
  EXPECT_EQ(failure({"train", "--epochs"}), line);
  EXPECT_EQ(failure({"train", "--epochs="}), line);
  EXPECT_EQ(failure({"train", "--epochs", "--quiet"}), line);
}

TEST(CommandLine, a_flag_takes_no_value_and_no_following_word) {
  EXPECT_EQ(failure({"train", "--quiet=1"}), "--quiet takes no value; see lockstep train --help");
  const Options options = parse({"predict", "--json", "a.png"});
  EXPECT_TRUE(options.json);
  EXPECT_THAT(options.arguments, ElementsAre("a.png"));
}

TEST(CommandLine, words_are_refused_where_none_are_taken) {
  EXPECT_EQ(failure({"train", "mnist"}), "unexpected word 'mnist'; see lockstep train --help");
}

TEST(CommandLine, there_are_at_most_as_many_shards_as_samples_in_a_batch) {
  EXPECT_EQ(parse({"train", "--batch-size=24", "--shards=24"}).run.recipe.shards, 24);
  EXPECT_THAT(failure({"train", "--batch-size=24", "--shards=25"}),
              HasSubstr("--shards 25: must be at most --batch-size, 24"));
}

TEST(CommandLine, a_shard_gives_eight_samples_by_default) {
  EXPECT_EQ(parse({"train", "--batch-size=96"}).run.recipe.shards, 12);
  EXPECT_EQ(parse({"train", "--batch-size=7"}).run.recipe.shards, 1);
}

TEST(CommandLine, help_is_shown_whatever_else_is_given) {
  for (const Words& words : {Words{"train", "--help"}, Words{"train", "-h", "--epochs", "0"},
                             Words{"train", "x", "--help"}}) {
    const Invocation invocation = parse_command_line(words);
    EXPECT_EQ(invocation.command, nullptr);
    EXPECT_THAT(invocation.text, HasSubstr("Usage: lockstep train"));
  }
}

TEST(CommandLine, the_programs_help_names_every_command) {
  const std::string text = parse_command_line({"--help"}).text;
  for (const Command& command : commands()) {
    EXPECT_THAT(text, HasSubstr("  " + std::string(command.name) + " "));
  }
  EXPECT_THAT(parse_command_line({"--version"}).text, testing::StartsWith("lockstep "));
}

}  // namespace
}  // namespace lockstep
