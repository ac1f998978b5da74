#include "folder_dataset.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "errors.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

Error label_error(const IdxFile& file, std::size_t index, unsigned label, std::string_view what) {
  return damaged(file.path(), fmt::format("label {} at index {} {}", label, index, what));
}

/// One more than the largest label; every label below it must occur.
std::size_t count_classes(IdxFile& file) {
  const auto labels = file.read(0, file.count());
  std::array<bool, 256> seen{};
  for (const std::uint8_t label : labels) seen[label] = true;
  const auto largest = std::max_element(labels.begin(), labels.end());
  const auto gap = std::find(seen.begin(), seen.begin() + *largest, false);
  if (gap != seen.begin() + *largest) {
    throw label_error(
        file, static_cast<std::size_t>(largest - labels.begin()), *largest,
        fmt::format("is out of range: labels must count from 0 without gaps, and none is {}",
                    gap - seen.begin()));
  }
  return *largest + std::size_t{1};
}

/// Device, inode, and the time of the last change: a file that was replaced is another one.
std::string identity_of(const IdxFile& file) {
  struct stat status {};
  if (::stat(file.path().c_str(), &status) != 0) throw unreadable(file.path(), errno);
  return fmt::format("{}:{}:{}.{} ", status.st_dev, status.st_ino, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

DataHashes hashes_of(const LabelledFiles& train, const LabelledFiles& test) {
  Sha256 images = train.images().hash();
  Sha256 both = images;
  train.labels().add_to(both);
  return {both.hex(),
          {images.hex(), train.labels().hash().hex(), test.images().hash().hex(),
           test.labels().hash().hex()}};
}

}  // namespace

LabelledFiles::LabelledFiles(const fs::path& images, const fs::path& labels)
    : images_(images, 3), labels_(labels, 1) {
  if (images_.count() == labels_.count()) return;
  throw damaged(labels, fmt::format("has {} labels, but {} has {} pictures", labels_.count(),
                                    images.string(), images_.count()));
}

Samples LabelledFiles::read(std::size_t first, std::size_t count) {
  return {rows(), columns(), images_.read(first, count), labels_.read(first, count)};
}

FolderDataset::FolderDataset(std::string name, const DataFiles& files)
    : name_(std::move(name)),
      train_(files.train_images, files.train_labels),
      test_(files.test_images, files.test_labels) {
  if (test_.rows() != train_.rows() || test_.columns() != train_.columns()) {
    throw damaged(files.test_images,
                  fmt::format("has pictures of {} x {}, but the training file of {} x {}",
                              test_.rows(), test_.columns(), train_.rows(), train_.columns()));
  }
  if (validation_size() == 0) {
    throw damaged(files.train_images,
                  fmt::format("has {} pictures; at least 12 are needed, since the first twelfth "
                              "is for validation",
                              train_.size()));
  }
}

std::size_t FolderDataset::classes() {
  if (classes_) return *classes_;
  const std::size_t count = count_classes(train_.labels());
  const auto labels = test_.labels().read(0, test_.size());
  const auto stranger = std::find_if(labels.begin(), labels.end(),
                                     [&](std::uint8_t label) { return label >= count; });
  if (stranger != labels.end()) {
    throw label_error(test_.labels(), static_cast<std::size_t>(stranger - labels.begin()),
                      *stranger, "is out of range: no training picture has it");
  }
  classes_ = count;
  return count;
}

std::string FolderDataset::identity() const {
  return identity_of(train_.images()) + identity_of(train_.labels()) + identity_of(test_.images()) +
         identity_of(test_.labels());
}

std::function<DataHashes()> FolderDataset::hasher() const {
  return [train = train_, test = test_] { return hashes_of(train, test); };
}

}  // namespace lockstep
