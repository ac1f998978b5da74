#include <lockstep/comm/communicator.hpp>

#include "end_process.hpp"

namespace lockstep {

namespace {

class LocalCommunicator final : public Communicator {
 public:
  std::size_t rank() const noexcept override { return 0; }
  std::size_t size() const noexcept override { return 1; }
  std::string name() const override { return "local"; }
  std::string description() const override { return "one process"; }

  void all_reduce(std::span<std::int64_t>) override {}
  void all_reduce(std::span<float>) override {}
  void broadcast(std::span<std::byte>, std::size_t) override {}
  void barrier() override {}

  std::unique_ptr<Communicator> first(std::size_t count) override {
    return count == 0 ? nullptr : make_local_communicator();
  }

  [[noreturn]] void abort(int exit_code) noexcept override { end_process(exit_code); }
};

}  // namespace

std::unique_ptr<Communicator> make_local_communicator() {
  return std::make_unique<LocalCommunicator>();
}

}  // namespace lockstep
