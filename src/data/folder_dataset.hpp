#pragma once

#include <optional>
#include <string>

#include <lockstep/data/dataset.hpp>

#include "data_files.hpp"
#include "idx.hpp"
#include "split.hpp"

namespace lockstep {

/// Pictures and their labels in two files of the same count. Error (data) where they differ.
class LabelledFiles {
 public:
  LabelledFiles(const std::filesystem::path& images, const std::filesystem::path& labels);

  std::size_t size() const noexcept { return images_.count(); }
  std::size_t rows() const noexcept { return images_.shape()[1]; }
  std::size_t columns() const noexcept { return images_.shape()[2]; }
  const IdxFile& images() const noexcept { return images_; }
  const IdxFile& labels() const noexcept { return labels_; }
  IdxFile& labels() noexcept { return labels_; }
  Samples read(std::size_t first, std::size_t count);
  std::uint64_t bytes_read() const noexcept { return images_.bytes_read() + labels_.bytes_read(); }

 private:
  IdxFile images_;
  IdxFile labels_;
};

class FolderDataset final : public Dataset {
 public:
  FolderDataset(std::string name, const DataFiles& files);

  std::string name() const override { return name_; }
  bool synthetic() const noexcept override { return false; }
  std::size_t rows() const noexcept override { return train_.rows(); }
  std::size_t columns() const noexcept override { return train_.columns(); }
  std::size_t training_size() const noexcept override { return train_.size() - validation_size(); }
  std::size_t validation_size() const noexcept override { return validation_part(train_.size()); }
  std::size_t test_size() const noexcept override { return test_.size(); }
  std::size_t classes() override;
  Samples training(std::size_t first, std::size_t count) override {
    return train_.read(validation_size() + first, count);
  }
  Samples validation(std::size_t first, std::size_t count) override {
    return train_.read(first, count);
  }
  Samples test(std::size_t first, std::size_t count) override { return test_.read(first, count); }
  std::string identity() const override;
  std::function<DataHashes()> hasher() const override;
  std::uint64_t bytes_read() const noexcept override {
    return train_.bytes_read() + test_.bytes_read();
  }

 private:
  std::string name_;
  LabelledFiles train_;
  LabelledFiles test_;
  std::optional<std::size_t> classes_;
};

}  // namespace lockstep
