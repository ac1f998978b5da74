#include <fmt/format.h>
#include <mpi.h>

#include <limits>
#include <stdexcept>
#include <utility>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/handle.hpp>

#include "end_process.hpp"
#include "mpi_library.hpp"

namespace lockstep {

namespace {

struct CommTraits {
  using Type = MPI_Comm;
  static Type null() { return MPI_COMM_NULL; }
  static void destroy(Type comm) noexcept { MPI_Comm_free(&comm); }
};
using CommHandle = Handle<CommTraits>;

int int_count(std::size_t count, const char* call) {
  if (std::cmp_less_equal(count, std::numeric_limits<int>::max())) return static_cast<int>(count);
  throw std::length_error(fmt::format("{}: {} elements are more than MPI counts", call, count));
}

class MpiCommunicator final : public Communicator {
 public:
  explicit MpiCommunicator(CommHandle comm) : comm_(std::move(comm)) {
    // A duplicate inherits the handler of MPI_COMM_WORLD, which start_mpi has set.
    check_mpi(MPI_Comm_rank(comm_.get(), &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_.get(), &size_), "MPI_Comm_size");
  }

  std::size_t rank() const noexcept override { return static_cast<std::size_t>(rank_); }
  std::size_t size() const noexcept override { return static_cast<std::size_t>(size_); }
  std::string name() const override { return "mpi"; }
  std::string description() const override { return mpi_description(); }

  void all_reduce(std::span<std::int64_t> values) override {
    constexpr auto call = "MPI_Allreduce";
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), int_count(values.size(), call),
                            MPI_INT64_T, MPI_SUM, comm_.get()),
              call);
  }

  void all_reduce(std::span<float> values) override {
    constexpr auto call = "MPI_Allreduce";
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), int_count(values.size(), call), MPI_FLOAT,
                            MPI_SUM, comm_.get()),
              call);
  }

  void broadcast(std::span<std::byte> bytes, std::size_t root) override {
    constexpr auto call = "MPI_Bcast";
    check_mpi(MPI_Bcast(bytes.data(), int_count(bytes.size(), call), MPI_BYTE,
                        int_count(root, call), comm_.get()),
              call);
  }

  void barrier() override { check_mpi(MPI_Barrier(comm_.get()), "MPI_Barrier"); }

  std::unique_ptr<Communicator> first(std::size_t count) override {
    MPI_Comm part = MPI_COMM_NULL;
    const int color = rank() < count ? 0 : MPI_UNDEFINED;
    check_mpi(MPI_Comm_split(comm_.get(), color, rank_, &part), "MPI_Comm_split");
    if (part == MPI_COMM_NULL) return nullptr;
    return std::make_unique<MpiCommunicator>(CommHandle(part));
  }

  [[noreturn]] void abort(int exit_code) noexcept override {
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    end_process(exit_code);
  }

 private:
  CommHandle comm_;
  int rank_ = 0;
  int size_ = 0;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator() {
  MPI_Comm world = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
  return std::make_unique<MpiCommunicator>(CommHandle(world));
}

}  // namespace lockstep
