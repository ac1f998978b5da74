#include "data_agreement.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include <lockstep/core/error.hpp>
#include <lockstep/core/sha256.hpp>

namespace lockstep {
namespace {

constexpr std::size_t most_named = 8;  // ranks, and groups of ranks, in a line

/// A text of up to 64 characters, as it travels: a host's name, or a SHA-256.
using Text = std::array<char, 64>;

Text to_text(const std::string& from) {
  Text text{};
  from.copy(text.data(), text.size());
  return text;
}

std::string to_string(const Text& text) {
  return {text.begin(), std::ranges::find(text, '\0')};
}

/// What the headers say.
struct Sizes {
  std::uint64_t synthetic = 0;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t training = 0;
  std::uint64_t validation = 0;
  std::uint64_t test = 0;

  bool operator==(const Sizes&) const = default;
};

/// What the labels say.
struct Classes {
  std::uint64_t count = 0;

  bool operator==(const Classes&) const = default;
};

/// Empty where nobody has to compare.
struct Hashes {
  Text training{};
  std::array<Text, 4> files{};

  bool operator==(const Hashes&) const = default;
};

std::string hash_of(const std::string& text) {
  return sha256_hex(std::as_bytes(std::span(text)));
}

Sizes sizes_of(const Dataset& dataset) {
  return {dataset.synthetic(),       dataset.rows(),     dataset.columns(), dataset.training_size(),
          dataset.validation_size(), dataset.test_size()};
}

Hashes to_row(const DataHashes& hashes) {
  Hashes row{to_text(hashes.training), {}};
  std::ranges::transform(hashes.files, row.files.begin(), to_text);
  return row;
}

/// "1100 training images instead of 5500"
std::string difference(const Sizes& is, const Sizes& should) {
  if (is.synthetic != should.synthetic) {
    return is.synthetic != 0 ? "made digits instead of files" : "files instead of made digits";
  }
  if (is.rows != should.rows || is.columns != should.columns) {
    return fmt::format("images of {} x {} instead of {} x {}", is.rows, is.columns, should.rows,
                       should.columns);
  }
  const auto count = [](std::uint64_t found, const char* kind, std::uint64_t right) {
    return fmt::format("{} {} images instead of {}", found, kind, right);
  };
  if (is.training != should.training) return count(is.training, "training", should.training);
  if (is.validation != should.validation) {
    return count(is.validation, "validation", should.validation);
  }
  return count(is.test, "test", should.test);
}

std::string difference(const Classes& is, const Classes& should) {
  return fmt::format("{} classes instead of {}", is.count, should.count);
}

std::string difference(const Hashes& is, const Hashes& should) {
  constexpr std::array names{"train-images", "train-labels", "t10k-images", "t10k-labels"};
  std::vector<std::string> found;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is.files[i] != should.files[i]) found.emplace_back(names[i]);
  }
  return fmt::format("other content in {}", fmt::join(found, " and "));
}

/// Every rank's row, by rank. Collective.
template <typename Row>
std::vector<Row> exchange(const Row& own, Communicator& world) {
  constexpr std::size_t words = sizeof(Row) / sizeof(std::int64_t);
  static_assert(std::is_trivially_copyable_v<Row> && sizeof(Row) % sizeof(std::int64_t) == 0);
  std::vector<std::int64_t> table(world.size() * words);
  std::memcpy(&table[world.rank() * words], &own, sizeof(Row));
  all_reduce_checked(world, table);
  std::vector<Row> rows(world.size());
  std::memcpy(static_cast<void*>(rows.data()), table.data(), rows.size() * sizeof(Row));
  return rows;
}

}  // namespace

/// How a rank makes itself known.
struct DataAgreement::Introduction {
  std::uint64_t number = 0;
  Text host{};
  Text files{};
};

DataAgreement::DataAgreement(Dataset& dataset, Communicator& world, std::string host)
    : dataset_(dataset),
      world_(world),
      number_(world.rank()),
      host_(std::move(host)),
      files_(hash_of(dataset.identity())) {}

std::size_t DataAgreement::agree_on_sizes() {
  find_readers(exchange(Introduction{number_, to_text(host_), to_text(files_)}, world_));
  expect_same(exchange(sizes_of(dataset_), world_));
  Classes own;
  agree(world_, [&] {
    if (reads()) own.count = dataset_.classes();
  });
  const auto classes = exchange_by_readers(own);
  expect_same(classes);
  std::int64_t missing = misses_files();
  all_reduce_checked(world_, {&missing, 1});
  past_is_doubtful_ = missing > 0;
  return classes[0].count;
}

void DataAgreement::find_readers(const std::vector<Introduction>& ranks) {
  members_.clear();
  for (const Introduction& rank : ranks) {
    const std::string host = to_string(rank.host);
    const std::string files = host + '/' + to_string(rank.files);
    const auto first = std::ranges::find(members_, files, &Member::files);
    const std::size_t own = members_.size();
    members_.push_back({rank.number, host, files, first == members_.end() ? own : first->reader});
    trained_.insert(files);
  }
}

/// Whether ranks were lost whose files nobody can compare any more.
bool DataAgreement::misses_files() const {
  return !agreed_ && std::ranges::any_of(trained_, [&](const std::string& files) {
    return std::ranges::find(members_, files, &Member::files) == members_.end();
  });
}

void DataAgreement::forget_past() {
  past_is_doubtful_ = false;
  trained_.clear();
  for (const Member& member : members_) trained_.insert(member.files);
}

void DataAgreement::begin_hashing(bool for_checkpoints) {
  if (hashes_.valid() || agreed_ || !reads()) return;
  const bool alone = std::ranges::all_of(members_, [](const Member& m) { return m.reader == 0; });
  if (alone && !for_checkpoints) return;
  hashes_ = std::async(std::launch::async, dataset_.hasher()).share();
}

void DataAgreement::agree_on_content() {
  if (agreed_) return;
  Hashes own;
  agree(world_, [&] {
    begin_hashing(false);
    if (hashes_.valid()) own = to_row(hashes_.get());
  });
  const auto hashes = exchange_by_readers(own);
  expect_same(hashes);
  world_.settle();  // so that no rank calls this again unless all do
  training_sha256_ = to_string(hashes[0].training);
  agreed_ = true;
}

std::string DataAgreement::training_sha256() const {
  if (!training_sha256_.empty()) return training_sha256_;
  return hashes_.valid() ? hashes_.get().training : dataset_.hasher()().training;
}

/// By rank, what the one that reads for it gave. Collective.
template <typename Row>
std::vector<Row> DataAgreement::exchange_by_readers(const Row& own) const {
  std::vector<Row> rows = exchange(own, world_);
  for (std::size_t rank = 0; rank < rows.size(); ++rank) rows[rank] = rows[members_[rank].reader];
  return rows;
}

/// Throws unless all ranks' rows are rank 0's.
template <typename Row>
void DataAgreement::expect_same(const std::vector<Row>& rows) const {
  std::vector<std::string> found;
  std::size_t lowest = 0;
  for (std::size_t rank = 1; rank < rows.size(); ++rank) {
    if (members_[rank].reader != rank || rows[rank] == rows[0]) continue;
    if (found.empty()) lowest = rank;
    found.push_back(ranks_of(rank) + difference(rows[rank], rows[0]));
  }
  if (found.empty()) return;
  if (lowest != world_.rank()) throw Error(ExitCode::data, "");
  const std::size_t more = found.size() - std::min(found.size(), most_named);
  if (more > 0) found.resize(most_named);
  throw Error(ExitCode::data,
              fmt::format("the data differ from those of rank {} ({}): {}{}; give all ranks the "
                          "same files (rank {} reads {})",
                          members_[0].number, members_[0].host, fmt::join(found, ", "),
                          more > 0 ? fmt::format(", and so on for {} more", more) : "", number_,
                          dataset_.name()));
}

/// "rank 1 (node2) has ", "ranks 2, 3 (node3) have "
std::string DataAgreement::ranks_of(std::size_t reader) const {
  std::vector<std::string> numbers;
  for (const Member& member : members_) {
    if (member.reader == reader) numbers.push_back(std::to_string(member.number));
  }
  const bool one = numbers.size() == 1;
  if (numbers.size() > most_named) {
    numbers.resize(most_named);
    numbers.emplace_back("...");
  }
  return fmt::format("{} {} ({}) {} ", one ? "rank" : "ranks", fmt::join(numbers, ", "),
                     members_[reader].host, one ? "has" : "have");
}

}  // namespace lockstep
