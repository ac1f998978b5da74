#include "folder_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

std::string LabelledFiles::sha256() const {
  Sha256 hash = images_.hash();
  labels_.add_to(hash);
  return hash.hex();
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

}  // namespace lockstep
