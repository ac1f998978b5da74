#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// Writes `text` under a temporary name in the same folder, syncs, renames, syncs the folder: after
/// a failure or a crash the old file stands, or none. Throws Error (store).
void write_file(const std::filesystem::path& path, const std::string& text);

/// Waits until what was written to a file would outlast a power cut; false if that
/// failed.
bool sync_file(const std::filesystem::path& path) noexcept;

/// The bytes of a regular file. Throws Error (store).
std::string read_file(const std::filesystem::path& path);

}  // namespace lockstep
