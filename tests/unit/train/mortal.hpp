#pragma once

#include <lockstep/comm/forwarding_communicator.hpp>

namespace lockstep {

/// Dies at its call number `last`, counted from 0.
class Mortal final : public ForwardingCommunicator {
 public:
  Mortal(Communicator& inner, std::size_t last)
      : ForwardingCommunicator(inner), inner_(inner), last_(last) {}

  using ForwardingCommunicator::all_reduce;
  void all_reduce(std::span<std::int64_t> values) override { live().all_reduce(values); }
  void broadcast(std::span<std::byte> bytes, std::size_t root) override {
    live().broadcast(bytes, root);
  }
  void barrier() override { live().barrier(); }
  void settle() override { live().settle(); }
  bool can_recover() const noexcept override { return true; }
  std::vector<std::size_t> recover() override { return live().recover(); }

  std::size_t calls() const noexcept { return calls_; }

 private:
  Communicator& live() {
    if (calls_++ == last_) throw RankDeath();
    return inner_;
  }

  Communicator& inner_;
  std::size_t last_;
  std::size_t calls_ = 0;
};

}  // namespace lockstep
