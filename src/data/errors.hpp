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

/// The same for a file of a data set that is not what it should be.
inline Error damaged(const std::filesystem::path& file, std::string_view what) {
  return data_error(file, std::string(what).append(
                              "; put a sound copy there (launch/fetch-mnist fetches MNIST)"));
}

}  // namespace lockstep
