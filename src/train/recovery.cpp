#include "recovery.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <utility>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/host_name.hpp>
#include <lockstep/train/supervisor.hpp>

#include "state_broadcast.hpp"
#include "state_fingerprint.hpp"

namespace lockstep {

namespace {

constexpr int most_without_loss = 3;
constexpr int most_times_back = 3;  // to one checkpoint

/// The figures that travel with a state, as numbers.
std::array<double, 8> to_numbers(const Progress& progress) {
  const StepRecord& last = progress.last;
  return {progress.validation.loss,
          progress.validation.accuracy,
          last.epoch,
          last.loss,
          last.accuracy,
          last.rate,
          last.seconds,
          static_cast<double>(progress.restarts)};
}

void from_numbers(const std::array<double, 8>& numbers, Progress& progress) {
  StepRecord& last = progress.last;
  progress.validation = {numbers[0], numbers[1]};
  last.epoch = numbers[2];
  last.loss = numbers[3];
  last.accuracy = numbers[4];
  last.rate = numbers[5];
  last.seconds = numbers[6];
  progress.restarts = static_cast<std::size_t>(numbers[7]);
  last.ranks.clear();
}

/// "rank 1 (here, process 77)", "ranks 1 (...), 2 (...)".
template <typename Members>
std::string list(const Members& members) {
  std::string text = members.size() == 1 ? "rank " : "ranks ";
  for (const auto& member : members)
    text += (&member == members.data() ? "" : ", ") + member.text();
  return text;
}

/// Who starts a run again whose ranks are all lost, as a phrase; empty: nobody does.
std::string start_again() {
  if (const std::size_t restarts = restarts_left(); restarts > 0) {
    return fmt::format("launch/run starts again from the newest checkpoint, up to {} times",
                       restarts);
  }
  if (is_queued_again()) return "the job is queued again and goes on from the newest checkpoint";
  return "";
}

}  // namespace

/// What a rank tells of itself.
struct Recovery::Row {
  static constexpr std::size_t host_words = 8;
  static constexpr std::size_t numbers = 9;
  static constexpr std::size_t words = numbers + host_words;

  std::int64_t begun = 0;
  std::int64_t step = 0;
  std::int64_t fingerprint = 0;
  std::int64_t parameters = 0;  // how many
  std::int64_t reported = 0;    // progress.last.step
  std::int64_t failure = 0;     // 0, or 1 + its exit code
  Member member;

  std::pair<std::int64_t, std::int64_t> place() const { return {begun, step}; }
  bool same(const Row& other) const {
    return place() == other.place() && fingerprint == other.fingerprint;
  }

  void write(std::span<std::int64_t> to) const {
    std::array<char, host_words * sizeof(std::int64_t)> name{};
    member.host.copy(name.data(), name.size() - 1);
    std::ranges::copy(std::array{begun, step, fingerprint, parameters, reported, failure,
                                 member.number, member.process, member.seen},
                      to.begin());
    std::memcpy(to.data() + numbers, name.data(), name.size());
  }

  static Row read(std::span<const std::int64_t> from) {
    const auto* host = reinterpret_cast<const char*>(from.data() + numbers);
    return {
        from[0], from[1], from[2], from[3], from[4], from[5], {from[6], from[7], from[8], host}};
  }
};

std::string Recovery::Member::text() const {
  if (host.empty()) return fmt::format("{}", number);
  return fmt::format("{} ({}, process {})", number, host, process);
}

Recovery::Recovery(Communicator& world)
    : world_(world), first_size_(world.size()), members_(world.size()) {
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    members_[rank].number = static_cast<std::int64_t>(rank);
  }
  Member& own = members_[world.rank()];
  own.process = ::getpid();
  own.host = host_name();
}

void Recovery::leave(const std::string& cause) {
  if (!world_.can_recover()) throw Error(ExitCode::lost_rank, cause);
  if (begin_ == 0) begin_ = seconds_now();
  cause_ = cause;
  const auto lost = world_.recover();
  for (const std::size_t rank : lost) lost_.push_back(members_.at(rank));
  for (auto rank = lost.rbegin(); rank != lost.rend(); ++rank) {
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(*rank));
  }
  ranks_lost_ += lost.size();
  left_ += lost.size();
}

std::vector<Recovery::Row> Recovery::exchange(const Standing& standing) {
  std::vector<std::int64_t> table(world_.size() * Row::words);
  const auto of = [&](std::size_t rank) {
    return std::span(table).subspan(rank * Row::words, Row::words);
  };
  const TrainingState& state = standing.state;
  members_[world_.rank()].seen = static_cast<std::int64_t>(seconds_now() * 1e9);
  Row{standing.begun(),
      static_cast<std::int64_t>(state.step),
      static_cast<std::int64_t>(fingerprint(state)),
      static_cast<std::int64_t>(state.parameters.size()),
      static_cast<std::int64_t>(standing.progress.last.step),
      standing.failure ? 1 + static_cast<std::int64_t>(exit_code_of(standing.failure)) : 0,
      members_[world_.rank()]}
      .write(of(world_.rank()));
  all_reduce_checked(world_, table);
  std::vector<Row> rows;
  for (std::size_t rank = 0; rank < world_.size(); ++rank) {
    rows.push_back(Row::read(of(rank)));
    members_[rank] = rows.back().member;
  }
  return rows;
}

void Recovery::agree_on(Standing& standing) {
  const std::vector<Row> rows = exchange(standing);
  const Row& furthest = *std::ranges::max_element(rows, {}, &Row::place);
  if (const std::exception_ptr failure = common_failure(rows)) {
    if (!standing.failure) standing.failure = failure;
    return world_.settle();
  }
  if (furthest.begun == 0) return count(0, 0);
  const std::size_t root = choose(rows);
  Standing next;
  if (root < rows.size()) {
    next = standing;
    take_over(next, rows, root);
  }
  world_.settle();
  standing = std::move(next);
  went_back_ = root == rows.size();
  const bool alone = std::ranges::count(rows, furthest.place(), &Row::place) == 1;
  for (const Row& row : rows) {
    if (alone || row.place() != furthest.place()) continue;
    if (went_back_ || !row.same(rows[root])) healed_.push_back(row.member);
  }
  count(static_cast<std::uint64_t>(went_back_ ? furthest.step : rows[root].step),
        static_cast<std::uint64_t>(furthest.step));
}

/// Who has the furthest state that is known to be right: most of those that stand there have it,
/// and two at least. A step is compared with the next sum, so that nothing speaks for the state of
/// one that stands ahead of others: it may be what made their sum wrong. Nor for that of the last
/// rank. rows.size() if nobody has.
std::size_t Recovery::choose(const std::vector<Row>& rows) {
  std::size_t best = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const auto there = std::ranges::count(rows, row.place(), &Row::place);
    const auto same = std::ranges::count_if(rows, [&](const Row& r) { return r.same(row); });
    if (row.begun == 0 || same < 2 || 2 * same <= there) continue;
    if (best == rows.size() || row.place() > rows[best].place()) best = i;
  }
  return best;
}

/// What ends all ranks, as the lowest of those that failed says: null if none did.
std::exception_ptr Recovery::common_failure(const std::vector<Row>& rows) const {
  for (const Row& row : rows) {
    if (row.failure == 0) continue;
    return std::make_exception_ptr(Error(static_cast<ExitCode>(row.failure - 1), ""));
  }
  return nullptr;
}

/// `step` is where they go on, or where they stood if they go back. Throws Error (lost_rank) where
/// it goes no further.
void Recovery::count(std::uint64_t step, std::uint64_t furthest) {
  const bool again = begin_ != 0 && left_ == 0 && step == step_;
  without_loss_ = again ? without_loss_ + 1 : 0;
  step_ = step;
  furthest_ = furthest;
  left_ = 0;
  if (without_loss_ < most_without_loss) return;
  give_up(fmt::format("step {} failed {} times although no rank was lost: {}", step_ + 1,
                      without_loss_ + 1, cause_));
}

void Recovery::begun_at(std::uint64_t step) {
  if (!std::exchange(went_back_, false)) return;
  times_back_ = step == begun_at_ ? times_back_ + 1 : 1;
  begun_at_ = step;
  if (times_back_ <= most_times_back) return;
  give_up(
      fmt::format("the ranks went back to step {} for the {}th time before another checkpoint was "
                  "reached, as no majority had the same state; find the machine that computes "
                  "wrongly, and start the run again without it",
                  step, times_back_));
}

void Recovery::give_up(const std::string& line) const {
  throw Error(ExitCode::lost_rank, world_.rank() == 0 ? line : "");
}

/// Collective: does nothing where all have it already.
void Recovery::take_over(Standing& standing, const std::vector<Row>& rows, std::size_t root) {
  const Row& right = rows[root];
  const bool all = std::ranges::all_of(rows, [&](const Row& row) { return row.same(right); });
  auto numbers = to_numbers(standing.progress);
  broadcast_values(world_, numbers, root);
  from_numbers(numbers, standing.progress);
  standing.progress.steps = static_cast<std::uint64_t>(right.step);
  standing.progress.last.step = static_cast<std::uint64_t>(right.reported);
  standing.progress.stopped = false;
  if (all) return;
  TrainingState& state = standing.state;
  state.step = static_cast<std::uint64_t>(right.step);
  for (auto* block : {&state.parameters, &state.first_moment, &state.second_moment}) {
    block->resize(static_cast<std::size_t>(right.parameters));
  }
  broadcast_blocks(world_, state, root);
  if (fingerprint(state) != static_cast<std::uint64_t>(right.fingerprint)) {
    throw RankLost("a rank was lost while it gave its state to the others");
  }
}

std::string Recovery::means() const {
  const std::string again = start_again();
  if (world_.size() > 1 && world_.can_recover()) {
    return "Lost ranks: the others go on in place (ULFM)" +
           (again.empty() ? "" : "; if all are lost, " + again);
  }
  if (!again.empty()) return "Lost ranks: " + again;
  if (world_.size() == 1) return "";
  return "Lost ranks: the run ends with exit code 5, to be started again; launch/run "
         "--max-restarts would do that";
}

std::vector<std::string> Recovery::names() const {
  std::vector<std::string> texts;
  for (const Member& member : members_) texts.push_back(member.text());
  return texts;
}

std::size_t Recovery::own_number() const {
  return static_cast<std::size_t>(members_[world_.rank()].number);
}

const std::string& Recovery::host() const {
  return members_[world_.rank()].host;
}

std::string Recovery::elsewhere() const {
  std::vector<Member> others = members_;
  std::erase_if(others, [&](const Member& member) { return member.host == host(); });
  return others.empty() ? "" : list(others);
}

std::string Recovery::host_key() const {
  const auto first = std::ranges::find(members_, host(), &Member::host);
  return fmt::format("lockstep-{}-{}", first->process, first->seen);
}

std::vector<std::string> Recovery::happened() const {
  std::vector<std::string> lines;
  if (begin_ == 0) return lines;
  const std::string end =
      fmt::format("{}; {} on after {:.3f} s", went_back_ ? ", all went back" : "",
                  world_.size() == 1 ? "1 rank goes" : fmt::format("{} ranks go", world_.size()),
                  seconds_now() - begin_);
  if (!lost_.empty())
    lines.push_back(fmt::format("Lost {} after step {}{}", list(lost_), step_, end));
  if (!healed_.empty()) {
    lines.push_back(fmt::format(
        "The weights or moments of {} differed after step {}{}{}", list(healed_), furthest_,
        went_back_ ? ", and no majority is right" : ": replaced by those of the others", end));
  }
  if (lines.empty()) {
    lines.push_back(fmt::format(
        "A sum was wrong, or a call failed, on a rank after step {}, though none was lost{}",
        furthest_, end));
  }
  return lines;
}

void Recovery::forget() {
  begin_ = 0;
  lost_.clear();
  healed_.clear();
}

}  // namespace lockstep
