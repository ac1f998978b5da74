#include "data_files.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "errors.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

constexpr const char* ways_out =
    "run launch/fetch-mnist, name a folder that has the files with --data DIR, or take made digits "
    "with --data synthetic";

fs::path find_file(const fs::path& folder, const std::string& stem, const std::string& kind) {
  std::error_code ignored;
  for (const char* const dot : {"-", "."}) {
    for (const char* const ending : {"", ".gz"}) {
      const fs::path path = folder / fmt::format("{}{}{}-ubyte{}", stem, dot, kind, ending);
      if (fs::exists(path, ignored)) return path;
    }
  }
  throw data_error(folder / fmt::format("{}-{}-ubyte", stem, kind),
                   fmt::format("is not there, plain or .gz: {}", ways_out));
}

}  // namespace

fs::path find_data_folder(const DataConfig& config) {
  const char* const environment = std::getenv("LOCKSTEP_DATA");
  fs::path folder = config.data;
  if (folder.empty() && environment != nullptr) folder = environment;
  if (folder.empty()) folder = fs::path("data") / "mnist";
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return folder;
  throw data_error(folder, fmt::format("no data set there (no such folder): {}", ways_out));
}

DataFiles find_data_files(const fs::path& folder) {
  return {find_file(folder, "train-images", "idx3"), find_file(folder, "train-labels", "idx1"),
          find_file(folder, "t10k-images", "idx3"), find_file(folder, "t10k-labels", "idx1")};
}

}  // namespace lockstep
