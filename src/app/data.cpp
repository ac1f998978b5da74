#include <algorithm>

#include <fmt/format.h>

#include <lockstep/data/folder.hpp>
#include <lockstep/data/verify.hpp>

#include "commands.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

/// A folder may be named by --data or behind the action.
DataConfig data_config(const Options& options) {
  if (options.arguments.size() < 2) return options.run.data;
  return {options.arguments[1]};
}

void verify(const Options& options) {
  const DataCheck check = verify_data(data_config(options));
  for (const FileCheck& file : check.files) {
    print(fmt::format("{}  {}  {}\n", file.sha256, file.path, file.set));
  }
  if (check.set == "unknown") {
    throw Error(
        ExitCode::data,
        "the files are whole, but not those of MNIST or of Fashion-MNIST; launch/fetch-mnist "
        "gets MNIST");
  }
  print(fmt::format("Data set: {}\n", check.set));
}

void info(const Options& options) {
  const auto data = open_dataset(data_config(options));
  print(
      fmt::format("Data set: {}\nPictures: {} training, {} validation, {} test\n"
                  "Size: {} rows x {} columns\nClasses: {}\n",
                  data->name(), data->training_size(), data->validation_size(), data->test_size(),
                  data->rows(), data->columns(), data->classes()));
}

void synthetic(const Options& options) {
  if (options.arguments.size() < 2) {
    throw Error(ExitCode::usage, "no folder given for the made digits: data synthetic DIR");
  }
  write_synthetic(options.arguments[1]);
  print(fmt::format("Made digits in {}; train on them with --data {}\n", options.arguments[1],
                    options.arguments[1]));
}

}  // namespace

void run_data(const Options& options, Communicator& world) {
  on_first_rank(world, [&] {
    const std::string action = options.arguments.empty() ? "" : options.arguments[0];
    if (options.arguments.size() > 2 ||
        (action != "verify" && action != "info" && action != "synthetic")) {
      throw Error(ExitCode::usage,
                  "data takes one of verify, info, synthetic, then a folder; see "
                  "lockstep data --help");
    }
    if (action == "verify") return verify(options);
    if (action == "info") return info(options);
    synthetic(options);
  });
}

}  // namespace lockstep
