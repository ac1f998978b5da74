#include "copies.hpp"

#include <deque>
#include <map>
#include <utility>

#include "grid.hpp"

namespace cuda_on_cpu {
namespace {

struct Copies {
  std::deque<std::pair<std::size_t, Copy>> begun;  // with their group's number
  std::size_t groups = 0;                          // that are complete
};
std::map<unsigned, Copies> of_threads;

Copies& mine() {
  return of_threads[place.thread.x];
}

}  // namespace

void begin_copy(const Copy& copy) {
  mine().begun.emplace_back(mine().groups, copy);
}

void end_copy_group() {
  ++mine().groups;
}

bool next_copy(std::size_t count, Copy& copy) {
  Copies& copies = mine();
  if (copies.begun.empty() || copies.begun.front().first + count >= copies.groups) return false;
  copy = copies.begun.front().second;
  copies.begun.pop_front();
  return true;
}

void forget_copies() {
  for (const auto& [thread, copies] : of_threads) {
    if (!copies.begun.empty()) report("a block ends without a wait for its copies");
  }
  of_threads.clear();
}

}  // namespace cuda_on_cpu
