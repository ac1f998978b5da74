#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <lockstep/core/error.hpp>

namespace lockstep {

/// Error (data): "FILE: what is wrong; how to mend".
inline Error data_error(const std::filesystem::path& file, std::string_view what) {
  return Error(ExitCode::data, file.string().append(": ").append(what));
}

/// The same for a file that the system does not let us read, by its errno.
inline Error unreadable(const std::filesystem::path& file, int error) {
  return data_error(
      file, "cannot be read (" + system_error_text(error) + "); mend its rights or the disk");
}

/// The same for a file of a data set that is not what it should be.
inline Error damaged(const std::filesystem::path& file, std::string_view what) {
  return data_error(file, std::string(what).append(
                              "; put a sound copy there (launch/fetch-mnist fetches MNIST)"));
}

}  // namespace lockstep
