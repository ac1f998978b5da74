#pragma once

#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// Hands every call on to another communicator: the base of those that change some. The caller
/// keeps `inner` alive.
class ForwardingCommunicator : public Communicator {
 public:
  explicit ForwardingCommunicator(Communicator& inner) : inner_(inner) {}

  std::size_t rank() const noexcept override { return inner_.rank(); }
  std::size_t size() const noexcept override { return inner_.size(); }
  std::string name() const override { return inner_.name(); }
  std::string description() const override { return inner_.description(); }
  bool can_recover() const noexcept override { return inner_.can_recover(); }

  void all_reduce(std::span<std::int64_t> values) override { inner_.all_reduce(values); }
  void all_reduce(std::span<float> values) override { inner_.all_reduce(values); }
  void broadcast(std::span<std::byte> bytes, std::size_t root) override {
    inner_.broadcast(bytes, root);
  }
  void barrier() override { inner_.barrier(); }
  void settle() override { inner_.settle(); }
  void poll() override { inner_.poll(); }
  std::vector<std::size_t> recover() override { return inner_.recover(); }
  std::unique_ptr<Communicator> first(std::size_t count) override { return inner_.first(count); }
  [[noreturn]] void abort(int exit_code) noexcept override {
    inner_.abort(exit_code);
    std::abort();  // for g++, which does not see that the line before does not return
  }

 private:
  Communicator& inner_;
};

}  // namespace lockstep
