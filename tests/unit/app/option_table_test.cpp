#include "option_table.hpp"

#include <gmock/gmock.h>

#include <set>

#include "command_line.hpp"
#include "echo.hpp"
#include "help.hpp"

namespace lockstep {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

std::string as_text(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

TEST(OptionTable, has_no_name_twice_and_keeps_groups_together) {
  std::set<std::string> names;
  Group last = Group::files;
  for (const Option& option : option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_GE(option.group, last) << option.name;
    last = option.group;
  }
}

TEST(OptionTable, an_option_stands_in_the_help_of_just_the_commands_that_take_it) {
  for (const Command& command : commands()) {
    const std::string help = command_help(command);
    for (const Option& option : option_table()) {
      const std::string line =
          "\n  --" + option.name + (option.value.empty() ? "" : " " + option.value) + "\n";
      if (option.commands & command.bit) {
        EXPECT_THAT(help, HasSubstr(line)) << command.name;
        EXPECT_THAT(help, HasSubstr(option.help)) << command.name;
      } else {
        EXPECT_THAT(help, Not(HasSubstr(line))) << command.name;
      }
    }
  }
}

TEST(OptionTable, the_help_shows_the_default_of_every_setting_but_flags) {
  const Options defaults;
  for (const Option& option : option_table()) {
    if (option.flag || !option.get) continue;
    const std::string shown =
        option.default_text.empty() ? as_text(option.get(defaults)) : option.default_text;
    if (shown.empty()) continue;
    for (const Command& command : commands()) {
      if (!(option.commands & command.bit)) continue;
      EXPECT_THAT(command_help(command), HasSubstr(option.help + " [" + shown + "]"));
    }
  }
}

TEST(OptionTable, every_option_with_rules_says_what_is_allowed_and_refuses_nonsense) {
  for (const Option& option : option_table()) {
    if (option.allowed.empty()) continue;
    Options options;
    EXPECT_FALSE(option.set(options, "nonsense")) << option.name;
    EXPECT_FALSE(option.set(options, "")) << option.name;
    EXPECT_FALSE(option.set(options, "-1")) << option.name;
  }
}

TEST(OptionTable, the_ranges_hold_at_both_ends) {
  const auto takes = [](const char* name, const char* value) {
    Options options;
    return find_option(name)->set(options, value);
  };
  EXPECT_TRUE(takes("hidden", "1") && takes("hidden", "1024"));
  EXPECT_FALSE(takes("hidden", "0") || takes("hidden", "1025"));
  EXPECT_TRUE(takes("batch-size", "1") && takes("batch-size", "65536"));
  EXPECT_FALSE(takes("batch-size", "0") || takes("batch-size", "65537"));
  EXPECT_TRUE(takes("epochs", "1") && takes("epochs", "100000"));
  EXPECT_FALSE(takes("epochs", "0") || takes("epochs", "100001"));
  EXPECT_TRUE(takes("threads", "0") && takes("threads", "1024"));
  EXPECT_FALSE(takes("threads", "1025") || takes("threads", "1.5"));
  EXPECT_TRUE(takes("seed", "18446744073709551615"));
  EXPECT_FALSE(takes("seed", "18446744073709551616"));
  EXPECT_TRUE(takes("learning-rate", "1e-3") && takes("clip-norm", "0"));
  EXPECT_FALSE(takes("learning-rate", "0") || takes("learning-rate", "inf"));
  EXPECT_FALSE(takes("learning-rate", "nan") || takes("learning-rate", "1e999"));
  EXPECT_FALSE(takes("learning-rate", "1e-3x") || takes("clip-norm", "-1"));
  EXPECT_TRUE(takes("ranks", "4,1,3"));
  EXPECT_FALSE(takes("ranks", "1,") || takes("ranks", "1,1") || takes("ranks", "0,1"));
  EXPECT_FALSE(takes("ranks", "1,1025") || takes("ranks", "1 2"));
}

TEST(Echo, has_version_arithmetic_command_and_every_option_of_the_command) {
  const Command& train = command(train_bit);
  const auto json = ordered_json::parse(echo(train, Options{}));
  EXPECT_EQ(json.at("command"), "train");
  EXPECT_EQ(json.at("arithmetic"), arithmetic_number);
  EXPECT_TRUE(json.contains("lockstep"));
  std::size_t settings = 3;
  for (const Option& option : option_table()) {
    if (!option.get || !(option.commands & train_bit)) continue;
    EXPECT_TRUE(json.contains(option.name)) << option.name;
    ++settings;
  }
  EXPECT_EQ(json.size(), settings);
}

TEST(Echo, survives_a_path_that_is_no_utf8) {
  Options options;
  options.run.out = "run\xff";
  EXPECT_TRUE(ordered_json::accept(echo(command(train_bit), options)));
}

/// Options that all differ from the defaults.
std::vector<std::string> unusual_words() {
  std::vector<std::string> words{"train",
                                 "--data=D",
                                 "--out=O",
                                 "--checkpoint-every=100",
                                 "--keep-checkpoints=5",
                                 "--resume=never",
                                 "--recipe=tuned",
                                 "--hidden=37",
                                 "--seed=9",
                                 "--epochs=3",
                                 "--batch-size=96",
                                 "--shards=7",
                                 "--decay=cosine",
                                 "--threads=2",
                                 "--engine=simd",
                                 "--warmup-steps=11",
                                 "--learning-rate=0.1",
                                 "--isa=avx2",
                                 "--comm=local",
                                 "--device=cpu",
                                 "--evaluate=all",
                                 "--clip-norm=.3",
                                 "--hang-timeout=5",
                                 "--inject=rank=1,step=2,kind=slow"};
  for (const Option& option : option_table()) {
    if (option.flag && (option.commands & train_bit)) words.push_back("--" + option.name);
  }
  return words;
}

TEST(Echo, given_back_as_options_makes_the_same_options) {
  const Invocation first = parse_command_line(unusual_words());
  const std::string echoed = echo(*first.command, first.options);
  std::vector<std::string> words{"train"};
  const auto json = ordered_json::parse(echoed);
  for (const auto& [name, value] : json.items()) {
    const Option* option = find_option(name);
    if (!option) continue;
    EXPECT_NE(value, option->get(Options{})) << name << " should be tried with another value";
    if (option->flag) {
      if (value) words.push_back("--" + name);
    } else {
      words.push_back("--" + name + "=" + as_text(value));
    }
  }
  const Invocation second = parse_command_line(words);
  EXPECT_EQ(echo(*second.command, second.options), echoed);
}

}  // namespace
}  // namespace lockstep
