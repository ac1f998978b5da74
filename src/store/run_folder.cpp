#include <lockstep/store/run_folder.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include <lockstep/core/error.hpp>
#include <lockstep/store/file.hpp>

namespace lockstep {
namespace {

constexpr const char* summary_name = "summary.json";

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ExitCode::store, fmt::format("can't use {} as run folder: {}: choose another --out",
                                           path.string(), reason));
}

std::string to_json(const Summary& summary) {
  const nlohmann::ordered_json json{
      {"test_loss", summary.test_loss},
      {"test_accuracy", summary.test_accuracy},
      {"validation_loss", summary.validation_loss},
      {"validation_accuracy", summary.validation_accuracy},
      {"weights_sha256", summary.weights_sha256},
      {"steps", summary.steps},
      {"world_size", summary.world_size},
      {"restarts", summary.restarts},
      {"ranks_lost", summary.ranks_lost},
      {"seconds", summary.seconds},
      {"samples_per_second", summary.samples_per_second},
      {"arithmetic", summary.arithmetic},
      {"engine", summary.engine},
      {"isa", summary.isa},
      {"communicator", summary.communicator},
      {"data", summary.data},
      {"synthetic", summary.synthetic},
  };
  // A path of the user's need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

RunFolder RunFolder::create(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail(path, error.message());
  if (std::filesystem::exists(path / summary_name, error)) {
    throw Error(
        ExitCode::store,
        fmt::format("{} holds a finished run: choose another --out or remove it", path.string()));
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) fail(path, system_error_text(errno));
  return RunFolder(path);
}

RunFolder RunFolder::take_over(const std::filesystem::path& path) {
  constexpr int most_tries = 200;
  for (int i = 1;; ++i) {
    try {
      return RunFolder(path);
    } catch (const Error&) {
      if (i == most_tries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

void RunFolder::write(const std::string& name, const std::string& text) const {
  write_file(path_ / name, text);
}

void RunFolder::finish(const Summary& summary) const {
  write(summary_name, to_json(summary));
}

std::filesystem::path model_path(const std::filesystem::path& run_or_file) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(run_or_file, error);
  return folder ? run_or_file / "model.safetensors" : run_or_file;
}

}  // namespace lockstep
