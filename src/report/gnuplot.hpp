#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// Runs `gnuplot -d -e commands script` with `folder` as working folder and without a shell, and
/// kills it after `seconds`. Returns an empty string, or why it failed, in one line.
std::string run_gnuplot(const std::filesystem::path& folder, const std::string& commands,
                        const std::string& script, double seconds = 60);

/// `text` in gnuplot's single quotes, without control characters.
std::string gnuplot_quote(const std::string& text);

}  // namespace lockstep
