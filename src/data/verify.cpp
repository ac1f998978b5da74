#include <lockstep/data/verify.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include <lockstep/core/sha256.hpp>

#include "data_files.hpp"
#include "idx.hpp"
#include "synthetic.hpp"

namespace lockstep {
namespace {

struct KnownSet {
  const char* name;
  std::array<std::string_view, 4> sha256;  // in DataCheck's order
};

constexpr std::array known_sets{
    KnownSet{"mnist",
             {"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
              "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
              "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
              "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}},
    // Computed from Debian's dataset-fashion-mnist 0.0~git20200523.55506a9-1.
    KnownSet{"fashion-mnist",
             {"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
              "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
              "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
              "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}};

FileCheck check_file(const IdxFile& file, std::size_t which) {
  FileCheck check{file.path().string(), file.hash().hex(), "unknown"};
  for (const KnownSet& set : known_sets) {
    if (set.sha256[which] == check.sha256) check.set = set.name;
  }
  return check;
}

}  // namespace

DataCheck verify_data(const DataConfig& config) {
  if (is_synthetic(config)) return {synthetic_name, {}};
  const DataFiles files = find_data_files(find_data_folder(config));
  DataCheck check{"unknown",
                  {check_file({files.train_images, 3}, 0), check_file({files.train_labels, 1}, 1),
                   check_file({files.test_images, 3}, 2), check_file({files.test_labels, 1}, 3)}};
  const std::string& first = check.files.front().set;
  if (std::ranges::all_of(check.files, [&](const FileCheck& f) { return f.set == first; })) {
    check.set = first;
  }
  return check;
}

}  // namespace lockstep
