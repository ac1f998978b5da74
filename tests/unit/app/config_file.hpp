#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace lockstep {

/// A config file that is gone with its object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("lockstep-" + std::to_string(::getpid()) + "-" + std::to_string(number++) + ".conf");
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace lockstep
