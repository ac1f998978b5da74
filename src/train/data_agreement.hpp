#pragma once

#include <cstdint>
#include <future>
#include <set>
#include <string>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/data/dataset.hpp>

namespace lockstep {

/// Holds the ranks to the same data, which they may read from copies of their own hosts: they
/// compare the sizes when the data are opened, and the content once in a run, by SHA-256. Of the
/// ranks that read the very same files of one host, the lowest reads and hashes them all, beside
/// the training, and answers for the others.
///
/// A difference is Error (data) on every rank; the lowest rank that differs from rank 0 has the
/// line, which names all that differ. All collective calls may throw RankLost, and can be made
/// again then.
class DataAgreement {
 public:
  /// `dataset` and `world` outlive it; `host` is this host's name. Throws Error (data) if the files
  /// have gone.
  DataAgreement(Dataset& dataset, Communicator& world, std::string host);

  /// Compares sizes and classes, and finds out who hashes which files. To be called when the data
  /// are open, and again when the group has changed. Returns the number of classes. Collective.
  std::size_t agree_on_sizes();

  /// After agree_on_sizes(): whether ranks are gone whose files no other rank of their host reads,
  /// before the content was compared. It can't be compared any more, so what was trained with these
  /// ranks must not be used. The same on all ranks.
  bool past_is_doubtful() const noexcept { return past_is_doubtful_; }
  /// To be called when what was trained so far has been given up on all ranks.
  void forget_past();

  /// Starts to hash the files in the background, if this rank does that and there are others to
  /// compare with, or if the hash is wanted for checkpoints. Does nothing the second time.
  void begin_hashing(bool for_checkpoints);

  /// Waits for the hashes and compares them: to be called before the first checkpoint and before
  /// the end. Does nothing once the ranks have agreed. Throws Error (data) also where the files
  /// can't be read. Collective.
  void agree_on_content();

  /// For checkpoints, on rank 0: DataHashes::training. Waits until it is known; throws Error (data)
  /// where the files can't be read.
  std::string training_sha256() const;

 private:
  struct Member {
    std::size_t number = 0;  // its rank when the run began
    std::string host;
    std::string files;       // the same for ranks of one host that read the same files
    std::size_t reader = 0;  // the lowest rank that reads these
  };
  struct Introduction;

  bool reads() const { return members_[world_.rank()].reader == world_.rank(); }
  void find_readers(const std::vector<Introduction>& ranks);
  bool misses_files() const;
  template <typename Row>
  std::vector<Row> exchange_by_readers(const Row& own) const;
  template <typename Row>
  void expect_same(const std::vector<Row>& rows) const;
  std::string ranks_of(std::size_t reader) const;

  Dataset& dataset_;
  Communicator& world_;
  std::size_t number_;
  std::string host_;
  std::string files_;
  std::vector<Member> members_;    // by rank
  std::set<std::string> trained_;  // the files of all ranks that may have trained
  bool past_is_doubtful_ = false;
  bool agreed_ = false;
  std::string training_sha256_;  // once agreed
  std::shared_future<DataHashes> hashes_;
};

}  // namespace lockstep
