#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/error.hpp>

namespace lockstep {

namespace {

std::exception_ptr failure_of(const std::function<void()>& work) {
  try {
    work();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

void agree(Communicator& communicator, const std::function<void()>& work) {
  const std::exception_ptr failure = failure_of(work);
  // One slot a rank: 0, or 1 + its exit code, so that no failure looks like success.
  std::vector<std::int64_t> slots(communicator.size(), 0);
  if (failure) slots[communicator.rank()] = 1 + static_cast<std::int64_t>(exit_code_of(failure));
  all_reduce_checked(communicator, slots);

  const auto lowest = std::find_if(slots.begin(), slots.end(), [](auto slot) { return slot != 0; });
  if (lowest == slots.end()) return;
  communicator.settle();  // a rank that ends at once breaks the call of one that is still in it
  if (static_cast<std::size_t>(lowest - slots.begin()) == communicator.rank()) {
    std::rethrow_exception(failure);
  }
  throw Error(static_cast<ExitCode>(*lowest - 1), "");
}

}  // namespace lockstep
