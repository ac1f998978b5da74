#include "synthetic.hpp"

#include <array>

#include <lockstep/core/random.hpp>
#include <lockstep/core/sha256.hpp>

#include "glyphs.hpp"
#include "idx.hpp"

namespace lockstep {
namespace {

constexpr std::uint64_t synthetic_seed = 2018;

/// Pictures by their number over both files, the training file's first.
Samples draw_samples(std::size_t first, std::size_t count) {
  constexpr std::size_t side = SyntheticDataset::side;
  constexpr std::uint64_t label_counter = std::uint64_t{1} << 32U;  // beyond what a drawing takes
  Samples samples{side, side, std::vector<std::uint8_t>(count * side * side),
                  std::vector<std::uint8_t>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    const Random random(synthetic_seed, Stream::synthetic, static_cast<std::uint32_t>(first + i));
    const std::uint32_t digit = random.block(label_counter)[0] % 10;
    samples.labels[i] = static_cast<std::uint8_t>(digit);
    draw_digit(digit, random, side,
               std::span(samples.pixels).subspan(i * side * side, side * side));
  }
  return samples;
}

void update(Sha256& hash, std::span<const std::uint8_t> bytes) {
  hash.update(std::as_bytes(bytes));
}

/// As an IDX file would hold them.
void add_labels(Sha256& hash, const Samples& samples) {
  update(hash, idx_header(std::array{samples.size()}));
  update(hash, samples.labels);
}

Sha256 hash_of_labels(const Samples& samples) {
  Sha256 hash;
  add_labels(hash, samples);
  return hash;
}

Sha256 hash_of_images(const Samples& samples) {
  Sha256 hash;
  update(hash, idx_header(std::array{samples.size(), samples.rows, samples.columns}));
  update(hash, samples.pixels);
  return hash;
}

}  // namespace

Samples SyntheticDataset::training(std::size_t first, std::size_t count) {
  return draw_samples(validation_size() + first, count);
}

Samples SyntheticDataset::validation(std::size_t first, std::size_t count) {
  return draw_samples(first, count);
}

Samples SyntheticDataset::test(std::size_t first, std::size_t count) {
  return draw_samples(training_file_size + first, count);
}

Samples SyntheticDataset::training_file() {
  return draw_samples(0, training_file_size);
}

std::function<DataHashes()> SyntheticDataset::hasher() const {
  return [] {
    const Samples train = training_file();
    const Samples test = draw_samples(training_file_size, test_file_size);
    Sha256 images = hash_of_images(train);
    Sha256 both = images;
    add_labels(both, train);
    return DataHashes{both.hex(),
                      {images.hex(), hash_of_labels(train).hex(), hash_of_images(test).hex(),
                       hash_of_labels(test).hex()}};
  };
}

}  // namespace lockstep
