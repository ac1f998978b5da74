#include <lockstep/train/model_file.hpp>

#include <gmock/gmock.h>
#include <unistd.h>

#include <functional>

#include <lockstep/core/error.hpp>
#include <lockstep/store/safetensors.hpp>

namespace lockstep {
namespace {

using testing::HasSubstr;

constexpr ModelShape shape{5, 3, 2, 4};

class ModelFile : public testing::Test {
 protected:
  ~ModelFile() override { std::filesystem::remove(path_); }

  /// Every parameter is its own place in the block, from 1.
  static Model counting_model() {
    Model model{shape, Buffer<float>(parameter_count(shape)), 18446744073709551615u, 429, "mnist"};
    for (std::size_t i = 0; i < model.parameters.size(); ++i) {
      model.parameters[i] = static_cast<float>(i + 1);
    }
    return model;
  }

  /// What reading says to a whole model that went through `change`.
  std::string failure_after(const std::function<void(TensorFile&)>& change) {
    write_model(path_, counting_model());
    TensorFile file = read_tensors(path_);
    change(file);
    write_tensors(path_, file);
    try {
      read_model(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::store);
      EXPECT_THAT(error.what(), HasSubstr(path_.string()));
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }

  static std::vector<float>& values(TensorFile& file, const std::string& name) {
    for (NamedTensor& tensor : file.tensors) {
      if (tensor.name == name) return tensor.values;
    }
    throw std::out_of_range(name);
  }

  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("lockstep-model-" + std::to_string(::getpid()));
};

TEST_F(ModelFile, reads_back_what_was_written) {
  const Model written = counting_model();
  write_model(path_, written);
  const Model read = read_model(path_);
  EXPECT_EQ(read.shape, shape);
  EXPECT_THAT(read.parameters.span(), testing::ElementsAreArray(written.parameters.span()));
  EXPECT_EQ(read.seed, written.seed);
  EXPECT_EQ(read.steps, 429);
  EXPECT_EQ(read.data, "mnist");
}

TEST_F(ModelFile, has_the_layout_of_pytorch_with_outputs_first) {
  write_model(path_, counting_model());
  const TensorFile file = read_tensors(path_);
  // The kernel's rows are 3 inputs, then 2 units; its columns the 2 units.
  EXPECT_THAT(file.find("rnn.weight_ih_l0", {2, 3}).values, testing::ElementsAre(1, 3, 5, 2, 4, 6));
  EXPECT_THAT(file.find("rnn.weight_hh_l0", {2, 2}).values, testing::ElementsAre(7, 9, 8, 10));
  EXPECT_THAT(file.find("rnn.bias_ih_l0", {2}).values, testing::ElementsAre(11, 12));
  EXPECT_THAT(file.find("rnn.bias_hh_l0", {2}).values, testing::ElementsAre(0, 0));
  EXPECT_THAT(file.find("head.weight", {4, 2}).values,
              testing::ElementsAre(13, 17, 14, 18, 15, 19, 16, 20));
  EXPECT_THAT(file.find("head.bias", {4}).values, testing::ElementsAre(21, 22, 23, 24));
}

TEST_F(ModelFile, names_its_origin_in_the_metadata) {
  const Model model = counting_model();
  write_model(path_, model);
  const auto metadata = read_tensors(path_).metadata;
  EXPECT_EQ(metadata.at("rows"), "5");
  EXPECT_EQ(metadata.at("arithmetic"), "1");
  EXPECT_EQ(metadata.at("seed"), "18446744073709551615");
  EXPECT_EQ(metadata.at("weights_sha256"), weights_sha256(model.parameters.span()));
}

TEST_F(ModelFile, says_how_its_images_look) {
  Model model = counting_model();
  model.images = ImageStyle{240, 10, 0.75, false, false};
  write_model(path_, model);
  EXPECT_EQ(read_model(path_).images, model.images);
}

TEST_F(ModelFile, of_an_earlier_version_does_not_say_how_its_images_look) {
  write_model(path_, counting_model());
  EXPECT_EQ(read_model(path_).images, std::nullopt);
}

TEST_F(ModelFile, with_a_senseless_image_style_is_refused) {
  using Entry = std::pair<const char*, const char*>;
  for (const auto& [key, value] : {Entry{"image_background", "256"},
                                   {"image_ink", "0"},
                                   {"image_extent", "0"},
                                   {"image_extent", "1.5"},
                                   {"image_extent", "nan"},
                                   {"image_centre", "left"},
                                   {"image_kind", ""}}) {
    const std::string line = failure_after([&](TensorFile& f) {
      f.metadata.insert({{"image_background", "0"},
                         {"image_ink", "255"},
                         {"image_extent", "0.7"},
                         {"image_centre", "mass"},
                         {"image_kind", "strokes"}});
      f.metadata[key] = value;
    });
    EXPECT_THAT(line, HasSubstr(key));
  }
  EXPECT_THAT(failure_after([](TensorFile& f) { f.metadata["image_background"] = "0"; }),
              HasSubstr("image_ink"));
}

TEST_F(ModelFile, with_a_changed_weight_is_refused) {
  EXPECT_THAT(failure_after([](TensorFile& f) { values(f, "head.bias")[3] += 1; }),
              HasSubstr("SHA-256"));
  EXPECT_THAT(failure_after([](TensorFile& f) { values(f, "rnn.bias_hh_l0")[0] = 1; }),
              HasSubstr("rnn.bias_hh_l0"));
}

TEST_F(ModelFile, without_a_tensor_is_refused) {
  EXPECT_THAT(failure_after([](TensorFile& f) { f.tensors.front().name = "other"; }),
              HasSubstr("rnn."));
}

TEST_F(ModelFile, with_sizes_that_its_tensors_have_not_is_refused_before_room_is_made) {
  EXPECT_THAT(failure_after([](TensorFile& f) { f.metadata["hidden"] = "65536"; }),
              HasSubstr("rnn."));
  for (const char* size : {"0", "-1", "x", "", "99999999999999999999", "1 "}) {
    EXPECT_NE(failure_after([=](TensorFile& f) { f.metadata["columns"] = size; }), "") << size;
  }
}

TEST_F(ModelFile, of_another_format_is_refused) {
  EXPECT_THAT(failure_after([](TensorFile& f) { f.metadata["format"] = "pt"; }),
              HasSubstr("format"));
  EXPECT_THAT(failure_after([](TensorFile& f) { f.metadata.clear(); }), HasSubstr("format"));
}

TEST(WeightsSha256, is_over_the_little_endian_bytes) {
  // printf '\x00\x00\x80\x3f\x00\x00\x00\xc0' | sha256sum
  const std::vector<float> weights{1.0f, -2.0f};
  EXPECT_EQ(weights_sha256(weights),
            "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b");
}

}  // namespace
}  // namespace lockstep
