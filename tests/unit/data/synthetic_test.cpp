#include "synthetic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include <lockstep/data/verify.hpp>

namespace lockstep {
namespace {

/// The label whose training pictures' mean is nearest.
class NearestMean {
 public:
  explicit NearestMean(const Samples& samples) : size_(samples.rows * samples.columns) {
    std::array<double, 10> counts{};
    for (auto& mean : means_) mean.resize(size_);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      counts[samples.labels[i]] += 1;
      for (std::size_t k = 0; k < size_; ++k) {
        means_[samples.labels[i]][k] += samples.picture(i)[k];
      }
    }
    for (std::size_t label = 0; label < 10; ++label) {
      for (double& value : means_[label]) value /= counts[label];
    }
  }

  std::size_t operator()(const std::uint8_t* picture) const {
    std::array<double, 10> distances{};
    for (std::size_t label = 0; label < 10; ++label) {
      for (std::size_t k = 0; k < size_; ++k) {
        const double difference = means_[label][k] - picture[k];
        distances[label] += difference * difference;
      }
    }
    const auto nearest = std::min_element(distances.begin(), distances.end());
    return static_cast<std::size_t>(nearest - distances.begin());
  }

 private:
  std::size_t size_;
  std::array<std::vector<double>, 10> means_;
};

TEST(Synthetic, has_mnists_shape_and_every_class_in_every_part) {
  SyntheticDataset data;
  EXPECT_EQ(data.training_size(), 5500U);
  EXPECT_EQ(data.validation_size(), 500U);
  EXPECT_EQ(data.test_size(), 1000U);
  EXPECT_EQ(data.bytes_read(), 0U);
  for (const Samples& samples :
       {data.training(0, 5500), data.validation(0, 500), data.test(0, 1000)}) {
    ASSERT_EQ(samples.pixels.size(), samples.size() * 28 * 28);
    for (std::uint8_t label = 0; label < data.classes(); ++label) {
      const auto count = std::ranges::count(samples.labels, label);
      EXPECT_GT(count, static_cast<std::ptrdiff_t>(samples.size()) / 15);
    }
  }
}

TEST(Synthetic, a_picture_is_the_same_whichever_range_it_is_made_in) {
  SyntheticDataset data;
  const Samples all = data.training(0, 20);
  const Samples some = data.training(13, 3);
  EXPECT_TRUE(std::equal(some.pixels.begin(), some.pixels.end(), all.picture(13)));
  EXPECT_EQ(some.labels[2], all.labels[15]);
}

TEST(Synthetic, parts_do_not_share_pictures) {
  SyntheticDataset data;
  EXPECT_NE(data.training(0, 1).pixels, data.validation(0, 1).pixels);
  EXPECT_NE(data.training(0, 1).pixels, data.test(0, 1).pixels);
  EXPECT_NE(data.validation(0, 1).pixels, data.test(0, 1).pixels);
}

TEST(Synthetic, can_be_learnt_but_not_by_a_mean) {
  SyntheticDataset data;
  const NearestMean nearest(data.training(0, 2000));
  const Samples test = data.test(0, 500);
  int right = 0;
  for (std::size_t i = 0; i < test.size(); ++i) {
    right += nearest(test.picture(i)) == test.labels[i];
  }
  EXPECT_GT(right, 250);
  EXPECT_LT(right, 475);
}

// The same bytes on every machine and in every later version.
TEST(Synthetic, pictures_stay_as_published) {
  EXPECT_EQ(open_dataset({"synthetic"})->hasher()().training,
            "ddb5e0b5df711b3576f4e35941f21888e5f36222e4bf21ee8c42f37afc4a250d");
}

}  // namespace
}  // namespace lockstep
