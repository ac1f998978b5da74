#include <fmt/format.h>
#include <mpi.h>

#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/handle.hpp>

#include "end_process.hpp"
#include "mpi_library.hpp"
#include "ulfm.hpp"

namespace lockstep {

namespace {

struct CommTraits {
  using Type = MPI_Comm;
  static Type null() { return MPI_COMM_NULL; }
  static void destroy(Type comm) noexcept {
    if (comm != MPI_COMM_WORLD) MPI_Comm_free(&comm);
  }
};
using CommHandle = Handle<CommTraits>;

/// The ranks of `before` that are not in `after`.
std::vector<std::size_t> missing_ranks(MPI_Comm before, MPI_Comm after) {
  MPI_Group all = MPI_GROUP_NULL;
  MPI_Group left = MPI_GROUP_NULL;
  int size = 0;
  check_mpi(MPI_Comm_group(before, &all), "MPI_Comm_group");
  check_mpi(MPI_Comm_group(after, &left), "MPI_Comm_group");
  check_mpi(MPI_Comm_size(before, &size), "MPI_Comm_size");
  std::vector<std::size_t> missing;
  for (int rank = 0; rank < size; ++rank) {
    int now = MPI_UNDEFINED;
    MPI_Group_translate_ranks(all, 1, &rank, left, &now);
    if (now == MPI_UNDEFINED) missing.push_back(static_cast<std::size_t>(rank));
  }
  MPI_Group_free(&all);
  MPI_Group_free(&left);
  return missing;
}

int int_count(std::size_t count, const char* call) {
  if (std::cmp_less_equal(count, std::numeric_limits<int>::max())) return static_cast<int>(count);
  throw std::length_error(fmt::format("{}: {} elements are more than MPI counts", call, count));
}

class MpiCommunicator final : public Communicator {
 public:
  // A duplicate inherits the handler of MPI_COMM_WORLD, which start_mpi has set.
  explicit MpiCommunicator(CommHandle comm) : comm_(std::move(comm)) { count(); }

  std::size_t rank() const noexcept override { return static_cast<std::size_t>(rank_); }
  std::size_t size() const noexcept override { return static_cast<std::size_t>(size_); }
  std::string name() const override { return "mpi"; }
  std::string description() const override { return mpi_description(); }

  void all_reduce(std::span<std::int64_t> values) override {
    constexpr auto call = "MPI_Allreduce";
    check(MPI_Allreduce(MPI_IN_PLACE, values.data(), int_count(values.size(), call), MPI_INT64_T,
                        MPI_SUM, comm_.get()),
          call);
  }

  void all_reduce(std::span<float> values) override {
    constexpr auto call = "MPI_Allreduce";
    check(MPI_Allreduce(MPI_IN_PLACE, values.data(), int_count(values.size(), call), MPI_FLOAT,
                        MPI_SUM, comm_.get()),
          call);
  }

  void broadcast(std::span<std::byte> bytes, std::size_t root) override {
    constexpr auto call = "MPI_Bcast";
    check(MPI_Bcast(bytes.data(), int_count(bytes.size(), call), MPI_BYTE, int_count(root, call),
                    comm_.get()),
          call);
  }

  void barrier() override { check(MPI_Barrier(comm_.get()), "MPI_Barrier"); }

  bool can_recover() const noexcept override { return mpi_survives_losses(); }

  /// Nobody sends to the tag: a look for a message finds deaths and revocations only.
  void poll() override {
    if (!can_recover()) return;
    int found = 0;
    check(MPI_Iprobe(MPI_ANY_SOURCE, 0, comm_.get(), &found, MPI_STATUS_IGNORE), "MPI_Iprobe");
  }

  void settle() override {
    if (!can_recover()) return barrier();
    const bool all_came = MPI_Barrier(comm_.get()) == MPI_SUCCESS;
    if (!all_came) revoke(comm_.get());
    if (all_say(comm_.get(), all_came)) return;
    agreed_to_leave_ = true;
    throw RankLost("a rank was lost");
  }

  // Every exit from a group begins with one agreement in which all ranks take part, those that come
  // from settle() and those that come from here: else the first could be gone, and the others wait.
  std::vector<std::size_t> recover() override {
    revoke(comm_.get());
    if (!std::exchange(agreed_to_leave_, false)) all_say(comm_.get(), false);
    CommHandle survivors(shrink(comm_.get()));
    const auto lost = missing_ranks(comm_.get(), survivors.get());
    comm_ = std::move(survivors);
    count();
    return lost;
  }

  std::unique_ptr<Communicator> first(std::size_t count) override {
    MPI_Comm part = MPI_COMM_NULL;
    const int color = rank() < count ? 0 : MPI_UNDEFINED;
    check(MPI_Comm_split(comm_.get(), color, rank_, &part), "MPI_Comm_split");
    if (part == MPI_COMM_NULL) return nullptr;
    return std::make_unique<MpiCommunicator>(CommHandle(part));
  }

  [[noreturn]] void abort(int exit_code) noexcept override {
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    end_process(exit_code);
  }

 private:
  /// Throws RankLost where ranks are lost, and what check_mpi throws else.
  void check(int code, const char* call) const {
    if (code == MPI_SUCCESS) return;
    if (is_loss(code, comm_.get())) {
      // A collective that failed leaves receives behind, into memory that it has freed. This ends
      // them, before anybody else gets that memory.
      if (can_recover()) revoke(comm_.get());
      throw RankLost(mpi_error_line(code, call) + "; start the run again");
    }
    check_mpi(code, call);
  }

  void count() {
    check(MPI_Comm_rank(comm_.get(), &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_.get(), &size_), "MPI_Comm_size");
  }

  CommHandle comm_;
  bool agreed_to_leave_ = false;
  int rank_ = 0;
  int size_ = 0;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator() {
  // To duplicate takes all ranks, and one may have died already: then it is MPI_COMM_WORLD itself.
  if (mpi_survives_losses()) return std::make_unique<MpiCommunicator>(CommHandle(MPI_COMM_WORLD));
  MPI_Comm world = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
  return std::make_unique<MpiCommunicator>(CommHandle(world));
}

}  // namespace lockstep
