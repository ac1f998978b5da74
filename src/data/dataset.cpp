#include <lockstep/data/dataset.hpp>

#include "data_files.hpp"
#include "folder_dataset.hpp"
#include "synthetic.hpp"

namespace lockstep {

std::unique_ptr<Dataset> open_dataset(const DataConfig& config) {
  if (is_synthetic(config)) return std::make_unique<SyntheticDataset>();
  const auto folder = find_data_folder(config);
  return std::make_unique<FolderDataset>(folder.string(), find_data_files(folder));
}

}  // namespace lockstep
