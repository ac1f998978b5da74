#include "stand_in.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

using lockstep::nccl_stand_in::Stream;

namespace {

struct Part {
  std::span<std::int64_t> block;
  Stream* stream;
};

/// The ranks that share an id.
struct Clique {
  std::size_t joined = 0;
  std::map<std::uint64_t, std::map<int, Part>> sums;  // by their number, then by rank
};

}  // namespace

struct ncclComm {
  std::shared_ptr<Clique> clique;
  std::size_t size;
  int rank;
  std::uint64_t calls = 0;
  int polls_in_progress = 0;  // how often the last call is still said to go on
};

namespace {

struct Library {
  std::mutex mutex;
  lockstep::nccl_stand_in::Behaviour behaviour;
  std::uint64_t ids = 0;
  std::map<std::uint64_t, std::shared_ptr<Clique>> cliques;
  std::map<int, ncclResult_t> errors;
  std::set<ncclComm*> living;
};

Library& library() {
  static Library instance;
  return instance;
}

ncclResult_t state_of(ncclComm& comm) {
  const auto error = library().errors.find(comm.rank);
  if (error != library().errors.end()) return error->second;
  if (comm.clique->joined < comm.size) return ncclInProgress;
  return comm.polls_in_progress > 0 ? ncclInProgress : ncclSuccess;
}

void add_up(std::map<int, Part>& parts) {
  const std::size_t n = parts.begin()->second.block.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t sum = 0;
    for (auto& [rank, part] : parts) sum += static_cast<std::uint64_t>(part.block[i]);
    for (auto& [rank, part] : parts) part.block[i] = static_cast<std::int64_t>(sum);
  }
  for (auto& [rank, part] : parts) --part.stream->pending;
}

}  // namespace

namespace lockstep::nccl_stand_in {

Behaviour& behaviour() {
  return library().behaviour;
}

void reset() {
  const std::lock_guard lock(library().mutex);
  library().behaviour = {};
  library().errors.clear();
  library().cliques.clear();
}

void fail(int rank, ncclResult_t error) {
  const std::lock_guard lock(library().mutex);
  library().errors[rank] = error;
}

int living() {
  const std::lock_guard lock(library().mutex);
  return static_cast<int>(library().living.size());
}

}  // namespace lockstep::nccl_stand_in

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = library().behaviour.version();
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclRemoteError ? "remote process exited or there was a network error"
                                   : "unhandled system error";
}

const char* ncclGetLastError(ncclComm_t) {
  return "no route to host\nand more";
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const std::lock_guard lock(library().mutex);
  const std::uint64_t number = ++library().ids;
  std::memcpy(id->internal + NCCL_UNIQUE_ID_BYTES - sizeof number, &number, sizeof number);
  return library().behaviour.unique_id;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  library().behaviour.on_join(rank);
  if (config->blocking != 0) throw std::logic_error("a blocking communicator");
  std::uint64_t number = 0;
  std::memcpy(&number, id.internal + NCCL_UNIQUE_ID_BYTES - sizeof number, sizeof number);
  const std::lock_guard lock(library().mutex);
  auto& clique = library().cliques[number];
  if (!clique) clique = std::make_shared<Clique>();
  ++clique->joined;
  *comm = new ncclComm{clique, static_cast<std::size_t>(size), rank};
  library().living.insert(*comm);
  return state_of(**comm);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  const std::lock_guard lock(library().mutex);
  *error = state_of(*comm);
  if (comm->polls_in_progress > 0) --comm->polls_in_progress;
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t n, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  const std::lock_guard lock(library().mutex);
  if (from != to || type != ncclInt64 || operation != ncclSum) return ncclInvalidArgument;
  if (state_of(*comm) != ncclSuccess) return ncclInvalidArgument;  // the call before still goes on
  auto& parts = comm->clique->sums[comm->calls++];
  auto* const own = reinterpret_cast<Stream*>(stream);
  ++own->pending;
  parts[comm->rank] = {{static_cast<std::int64_t*>(to), n}, own};
  if (parts.size() == comm->size) add_up(parts);
  comm->polls_in_progress = 3;
  return ncclInProgress;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  const std::lock_guard lock(library().mutex);
  for (auto& [number, parts] : comm->clique->sums) {
    const auto own = parts.find(comm->rank);
    if (own == parts.end() || parts.size() == comm->size) continue;
    --own->second.stream->pending;
    parts.erase(own);
  }
  library().living.erase(comm);
  delete comm;
  return ncclSuccess;
}

}  // extern "C"
