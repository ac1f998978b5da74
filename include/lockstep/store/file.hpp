#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// Writes `text` under a temporary name in the same folder, syncs, renames, syncs the folder: after
/// a failure or a crash the old file stands, or none. Throws Error (store).
void write_file(const std::filesystem::path& path, const std::string& text);

/// The bytes of a regular file. Throws Error (store).
std::string read_file(const std::filesystem::path& path);

}  // namespace lockstep
