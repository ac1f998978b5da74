#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/train/training_state.hpp>

#include "trainer.hpp"

namespace lockstep {

/// Where a rank stands in the run. All ranks' standings lie on one trajectory, unless a machine
/// computes wrongly, so any of them is a right one to go on from.
struct Standing {
  TrainingState state;         // without parameters: not begun
  Progress progress;           // of the same step
  std::exception_ptr failure;  // for which this rank can't go on; null: none

  bool begun() const noexcept { return !state.parameters.empty(); }
};

/// How a run goes on when ranks die. Every survivor, in this order, and from the top again whenever
/// another dies (any call throws RankLost then):
///
///   leave()      the broken group; the survivors are the new one
///   agree_on()   the furthest standing that two ranks have; the others take it over
///   then the shards are shared out again (Job), and the step is taken that was cut short.
///
/// A start is the same without the first line, so that a death in it is nothing special. A rank
/// that fails by itself goes the same way, so that the others end with it instead of taking it for
/// lost.
class Recovery {
 public:
  explicit Recovery(Communicator& world);

  /// To be called for `cause`, what this rank noticed. Throws Error (lost_rank) where the group
  /// can't recover.
  void leave(const std::string& cause);

  /// Makes the furthest standing that two ranks have everyone's; of several at the same step that
  /// of the majority, as a machine that computes wrongly is alone. Where there is none nobody has
  /// begun: a checkpoint, or the first step, is where to go on from. So it is where one rank is
  /// left, which has nothing to compare with. If a rank has failed, all ranks have a failure
  /// afterwards, and no other standing. So have they where nobody was lost time and again at one
  /// step. Collective.
  void agree_on(Standing& standing);

  /// To be called when all ranks have begun at this step. Throws Error (lost_rank), on all ranks,
  /// where they went back time and again because their states differed, and never got beyond it.
  void begun_at(std::uint64_t step);

  /// What happened since forget(), one line each for rank 0's console; called when the survivors go
  /// on.
  std::vector<std::string> happened() const;
  /// To be called once rank 0 is known to have told it: if it died before, the next one does.
  void forget();

  /// One line on what follows if ranks die; empty if there are no others to go on.
  std::string means() const;

  /// By rank: "2 (node7, process 4711)", with the number that it had when the run began.
  std::vector<std::string> names() const;

  /// Of first_size(). Every survivor counts the same.
  std::size_t ranks_lost() const noexcept { return ranks_lost_; }

  // For those that watch over the ranks of a host:

  /// This rank's number when the run began, and how many there were.
  std::size_t own_number() const;
  std::size_t first_size() const noexcept { return first_size_; }
  const std::string& host() const;
  /// The ranks of other hosts, as a text; empty if there are none.
  std::string elsewhere() const;
  /// A name that the ranks of a host, as they were at the last agree_on(), have in common, and
  /// nobody else.
  std::string host_key() const;

 private:
  struct Member {
    std::int64_t number = 0;  // its rank when the run began
    std::int64_t process = 0;
    std::int64_t seen = 0;  // when it told of itself last, by its clock
    std::string host;       // empty: not known yet
    std::string text() const;
  };
  struct Row;

  std::vector<Row> exchange(const Standing& standing);
  void take_over(Standing& standing, const std::vector<Row>& rows, std::size_t root);
  std::exception_ptr common_failure(const std::vector<Row>& rows) const;
  static std::size_t choose(const std::vector<Row>& rows);
  void count(std::uint64_t step, std::uint64_t furthest);
  [[noreturn]] void give_up(const std::string& line) const;

  Communicator& world_;
  std::size_t first_size_;
  std::vector<Member> members_;  // by rank
  std::size_t ranks_lost_ = 0;
  std::string cause_;           // of the recovery that goes on
  std::size_t left_ = 0;        // how many ranks were lost in it
  std::uint64_t step_ = 0;      // that the last recovery went on after, or went back from
  std::uint64_t furthest_ = 0;  // that a rank stood after
  int without_loss_ = 0;        // recoveries at that step by which nobody was lost
  bool went_back_ = false;      // in the last recovery, as no state was known to be right
  std::uint64_t begun_at_ = 0;
  int times_back_ = 0;        // to begun_at_
  double begin_ = 0;          // when the recovery that goes on began; 0: none does
  std::vector<Member> lost_;  // since forget()
  std::vector<Member> healed_;
};

}  // namespace lockstep
