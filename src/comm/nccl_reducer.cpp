#include <fmt/format.h>
#include <nccl.h>

#include <cstdlib>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <lockstep/comm/device_reducer.hpp>
#include <lockstep/core/clock.hpp>
#include <lockstep/core/handle.hpp>

namespace lockstep {

namespace {

constexpr int first_with_shared_gpus = NCCL_VERSION(2, 30, 0);

/// The communicators are non-blocking, so that no call but this one ever waits for another rank,
/// and this one ends what the others wait for.
struct CommTraits {
  using Type = ncclComm_t;
  static Type null() { return nullptr; }
  static void destroy(Type comm) noexcept { ncclCommAbort(comm); }
};
using CommHandle = Handle<CommTraits>;

int library_version() {
  int version = 0;
  ncclGetVersion(&version);
  return version;
}

std::string version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

/// NCCL's own words: the code's, and the first line of what it noted last.
std::string error_text(ncclResult_t code) {
  const std::string_view noted = ncclGetLastError(nullptr);
  std::string text = ncclGetErrorString(code);
  if (!noted.empty()) text += fmt::format(" ({})", noted.substr(0, noted.find('\n')));
  return text;
}

void expect(ncclResult_t code, const char* call, const Communicator& ranks) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  throw RankLost(
      fmt::format("{} failed on rank {}: {}; start the run again, with --comm mpi if it fails "
                  "again",
                  call, ranks.rank(), error_text(code)));
}

/// What the ranks must know of each other before NCCL does: its own errors would not say enough,
/// and some of its versions hang.
struct Member {
  static constexpr std::size_t words = 3;
  std::int64_t version;
  std::int64_t gpu;
  std::int64_t shares;
};

std::vector<Member> exchange(Communicator& ranks, const Member& own) {
  std::vector<std::int64_t> table(ranks.size() * Member::words);
  std::int64_t* const place = &table[ranks.rank() * Member::words];
  place[0] = own.version;
  place[1] = own.gpu;
  place[2] = own.shares;
  all_reduce_checked(ranks, table);
  std::vector<Member> members;
  for (std::size_t i = 0; i < table.size(); i += Member::words) {
    members.push_back({table[i], table[i + 1], table[i + 2]});
  }
  return members;
}

void refuse(const std::string& line) {
  throw Error(ExitCode::usage, "--comm nccl: " + line);
}

void expect_matching_versions(const std::vector<Member>& members) {
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    if (members[rank].version == members[0].version) continue;
    refuse(
        fmt::format("rank 0 has NCCL {}, but rank {} has {}; give all hosts the same, or use "
                    "--comm mpi",
                    version_text(static_cast<int>(members[0].version)), rank,
                    version_text(static_cast<int>(members[rank].version))));
  }
  if (members[0].version < NCCL_VERSION_CODE) {
    refuse(fmt::format(
        "the NCCL found here is {}, older than the {} that this program was built "
        "with; set LD_LIBRARY_PATH to the newer, or build again",
        version_text(static_cast<int>(members[0].version)), version_text(NCCL_VERSION_CODE)));
  }
}

void expect_own_gpus(const std::vector<Member>& members) {
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    for (std::size_t other = 0; other < rank; ++other) {
      if (members[rank].gpu != members[other].gpu || members[rank].shares) continue;
      refuse(
          fmt::format("ranks {} and {} are on one GPU, which NCCL {} does not take; start one "
                      "rank a GPU, or use --comm mpi (NCCL >= 2.30 takes them, for tests, with "
                      "NCCL_MULTI_RANK_GPU_ENABLE=1)",
                      other, rank, version_text(static_cast<int>(members[rank].version))));
    }
  }
}

class NcclReducer final : public DeviceReducer {
 public:
  NcclReducer(Communicator& ranks, const NcclConfig& config) : config_(config) { renew(ranks); }

  void all_reduce(std::int64_t* block, std::size_t n, void* stream) override {
    constexpr auto call = "ncclAllReduce";
    expect_not_aborted();
    expect(ncclAllReduce(block, block, n, ncclInt64, ncclSum, comm_.get(),
                         static_cast<cudaStream_t>(stream)),
           call, *ranks_);
    wait(comm_, call);
  }

  void check() override {
    expect_not_aborted();
    ranks_->poll();
    expect(state(comm_), "a sum by NCCL", *ranks_);
  }

  void abort() noexcept override { comm_.reset(); }

  void renew(Communicator& ranks) override {
    comm_.reset();
    ranks_ = &ranks;
    const auto members = exchange(ranks, {library_version(), static_cast<std::int64_t>(config_.gpu),
                                          static_cast<std::int64_t>(nccl_shares_gpus())});
    ncclUniqueId id{};
    agree(ranks, [&] {
      expect_matching_versions(members);
      expect_own_gpus(members);
      if (ranks.rank() == 0)
        without_recovery([&] { expect(ncclGetUniqueId(&id), "ncclGetUniqueId", ranks); });
    });
    ranks.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
    CommHandle comm;
    agree(ranks, [&] { without_recovery([&] { comm = join(id); }); });
    comm_ = std::move(comm);
  }

  std::string description() const override { return nccl_description(); }

 private:
  /// A failure that is agreed on is everyone's, and no rank is lost by it: where one is, the
  /// agreement itself fails.
  template <typename Work>
  static void without_recovery(Work work) {
    try {
      work();
    } catch (const RankLost& failure) {
      throw Error(failure.code(), failure.what());
    }
  }

  CommHandle join(const ncclUniqueId& id) {
    constexpr auto call = "ncclCommInitRankConfig";
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    ncclComm_t comm = nullptr;
    const auto code = ncclCommInitRankConfig(&comm, static_cast<int>(ranks_->size()), id,
                                             static_cast<int>(ranks_->rank()), &config);
    CommHandle handle(comm);
    expect(code, call, *ranks_);
    wait(handle, call);
    return handle;
  }

  static ncclResult_t state(const CommHandle& comm) {
    ncclResult_t now = ncclSuccess;
    const ncclResult_t code = ncclCommGetAsyncError(comm.get(), &now);
    return code == ncclSuccess ? now : code;
  }

  /// Until the call, which a thread of NCCL's goes on with, is done.
  void wait(const CommHandle& comm, const char* call) {
    const double begin = seconds_now();
    ncclResult_t now = state(comm);
    while (now == ncclInProgress) {
      ranks_->poll();
      if (seconds_now() - begin > config_.patience_seconds) {
        throw RankLost(fmt::format("{}: rank {} waited {} s for the others; start the run again",
                                   call, ranks_->rank(), config_.patience_seconds));
      }
      std::this_thread::yield();
      now = state(comm);
    }
    expect(now, call, *ranks_);
  }

  void expect_not_aborted() const {
    if (!comm_) throw RankLost("the ranks' sum was aborted");
  }

  NcclConfig config_;
  Communicator* ranks_ = nullptr;
  CommHandle comm_;
};

}  // namespace

bool nccl_is_built_in() noexcept {
  return true;
}

std::string nccl_description() {
  return "NCCL " + version_text(library_version());
}

bool nccl_shares_gpus() {
  const char* asked = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
  return asked != nullptr && std::string_view(asked) == "1" &&
         library_version() >= first_with_shared_gpus;
}

std::unique_ptr<DeviceReducer> make_nccl_reducer(Communicator& ranks, const NcclConfig& config) {
  return std::make_unique<NcclReducer>(ranks, config);
}

}  // namespace lockstep
