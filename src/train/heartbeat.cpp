#include "heartbeat.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include <lockstep/core/error.hpp>

namespace lockstep {

HeartbeatTable::HeartbeatTable(const std::string& name, std::size_t ranks)
    : name_("/" + name), ranks_(ranks) {
  const std::size_t bytes = ranks * sizeof(Heartbeat);
  const int file = ::shm_open(name_.c_str(), O_RDWR | O_CREAT, 0600);
  void* memory = MAP_FAILED;
  if (file >= 0 && ::ftruncate(file, static_cast<off_t>(bytes)) == 0) {  // new bytes are zeros
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (memory == MAP_FAILED) {
    throw Error(ExitCode::internal,
                fmt::format("no shared memory for the heartbeats: {}: give --hang-timeout 0",
                            system_error_text(reason)));
  }
  table_ = static_cast<Heartbeat*>(memory);
}

HeartbeatTable::~HeartbeatTable() {
  forget_name();
  ::munmap(table_, ranks_ * sizeof(Heartbeat));
}

void HeartbeatTable::forget_name() noexcept {
  if (!name_.empty()) ::shm_unlink(name_.c_str());
  name_.clear();
}

}  // namespace lockstep
