#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace lockstep {

/// While it lives, programs are looked for in one folder only.
class ProgramPath {
 public:
  explicit ProgramPath(const std::filesystem::path& folder) : old_(std::getenv("PATH")) {
    ::setenv("PATH", folder.c_str(), 1);
  }
  ~ProgramPath() { ::setenv("PATH", old_.c_str(), 1); }
  ProgramPath(const ProgramPath&) = delete;
  ProgramPath& operator=(const ProgramPath&) = delete;

 private:
  std::string old_;
};

/// A shell script in gnuplot's place.
inline void make_gnuplot(const std::filesystem::path& folder, const std::string& script) {
  std::ofstream(folder / "gnuplot") << "#!/bin/sh\n" << script << "\n";
  ::chmod((folder / "gnuplot").c_str(), 0755);
}

}  // namespace lockstep
