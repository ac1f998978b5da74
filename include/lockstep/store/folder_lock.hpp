#pragma once

#include <filesystem>

#include <lockstep/core/handle.hpp>

namespace lockstep {

struct DescriptorTraits {
  using Type = int;
  static int null() { return -1; }
  static void destroy(int descriptor) noexcept;
};
using Descriptor = Handle<DescriptorTraits>;

/// Keeps a folder for one owner while it lives: a lock of the kernel (fcntl, of the open file) on
/// FOLDER/lock, which is given back with the process however it ends, over NFS too. The file, which
/// says host and process, stays; it locks nothing by itself. Where the file system knows no locks,
/// none is held.
class FolderLock {
 public:
  /// Throws Error (store) that names host and process of the owner, if there is another.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  Descriptor file_;
};

}  // namespace lockstep
