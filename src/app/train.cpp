#include <ctime>

#include <fmt/chrono.h>
#include <unistd.h>

#include <lockstep/train/stop.hpp>

#include "commands.hpp"
#include "echo.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

/// A name that runs started at the same second do not share.
std::filesystem::path new_run_folder() {
  return fmt::format("runs/{:%Y%m%d-%H%M%S}-{}", fmt::localtime(std::time(nullptr)), ::getpid());
}

}  // namespace

void run_train(const Options& given, Communicator& world) {
  Options options = given;
  if (options.run.out.empty()) options.run.out = new_run_folder();
  options.run.hang_timeout = options.hang_timeout;
  options.run.config_json = echo(command(train_bit), options);
  catch_stop_signals();
  stop_when_output_closes();
  run_training(options.run, world);
}

}  // namespace lockstep
