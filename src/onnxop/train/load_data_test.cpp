#include "onnxop/train/load_data.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

class LoadDataTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    write_file_atomically(folder_ / name, as_bytes(text));
  }

  /// An IDX file of `n` images, image i filled with the value i, and its labels i modulo 3.
  void write_idx(const std::string& name, int n, int height, int width) {
    std::string images("\0\0\x08\x03", 4), labels("\0\0\x08\x01", 4);
    const auto put = [](std::string& text, int value) {
      for (const int shift : {24, 16, 8, 0}) {
        text += static_cast<char>(value >> shift & 255);
      }
    };
    put(images, n);
    put(images, height);
    put(images, width);
    put(labels, n);
    for (int i = 0; i < n; ++i) {
      images += std::string(static_cast<std::size_t>(height * width), static_cast<char>(i));
      labels += static_cast<char>(i % 3);
    }
    write(name + "-images", images);
    write(name + "-labels", labels);
  }

  TrainSpec idx_spec(const std::vector<std::string>& overrides = {}) {
    return parse_spec(R"(
data: {kind: idx, train_images: a-images, train_labels: a-labels, test_images: b-images, test_labels: b-labels, classes: 3, validation: 2}
input: {width: 4, height: 6}
layers: [Flatten, {Dense: {units: 3, activation: softmax}}]
)",
                      folder_ / "spec.yaml", overrides);
  }

  TrainSpec csv_spec(const std::string& train, const std::vector<std::string>& overrides = {}) {
    return parse_spec(
        "data: {kind: csv, train: a.csv, test: b.csv, target: y, validation: 1}\n"
        "layers: [" +
            train,
        folder_ / "spec.yaml", overrides);
  }

  std::string message_of(const TrainSpec& spec) {
    try {
      load_train_data(spec, {});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      format("load_data_{}", testing::UnitTest::GetInstance()->current_test_info()->name());
};

constexpr const char* kRegression = "{Dense: {units: 1}}]\ntrain: {loss: mean_squared_error}\n";
constexpr const char* kClassification = "{Dense: {units: 2, activation: softmax}}]\n";

TEST_F(LoadDataTest, KeepsTheLastIdxSamplesApart) {
  write_idx("a", 7, 6, 4);
  write_idx("b", 3, 6, 4);
  const TrainData data = load_train_data(idx_spec(), {});
  EXPECT_THAT(data.training, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(data.validation, testing::ElementsAre(5, 6));
  EXPECT_EQ(data.test.size(), 3);
  EXPECT_EQ(data.train.sample_shape(), (Shape{6, 4, 1}));
}

TEST_F(LoadDataTest, BringsImagesToTheSpecsSizeAndColor) {
  write_idx("a", 5, 3, 3);
  write_idx("b", 3, 8, 9);
  const TrainData data = load_train_data(idx_spec({"input.color=rgb"}), {});
  EXPECT_EQ(data.train.sample_shape(), (Shape{6, 4, 3}));
  EXPECT_EQ(data.test.sample_shape(), (Shape{6, 4, 3}));
  for (const auto value : data.train.samples.values<std::uint8_t>().subspan(3 * 72, 72)) {
    EXPECT_EQ(value, 3);
  }
  const NetworkEnds ends = network_ends(idx_spec({"input.color=rgb"}), data);
  EXPECT_EQ(ends.sample, (Shape{6, 4, 3}));
  EXPECT_EQ(ends.outputs, 3);
}

TEST_F(LoadDataTest, HashIsOfTheContent) {
  write_idx("a", 5, 6, 4);
  write_idx("b", 3, 6, 4);
  const std::string hash = load_train_data(idx_spec(), {}).sha256;
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(load_train_data(idx_spec(), {}).sha256, hash);
  write_idx("b", 4, 6, 4);
  EXPECT_NE(load_train_data(idx_spec(), {}).sha256, hash);
}

TEST_F(LoadDataTest, SplitMustLeaveSomething) {
  write_idx("a", 2, 6, 4);
  write_idx("b", 3, 6, 4);
  EXPECT_THAT(message_of(idx_spec()), HasSubstr("keeps 2 samples apart of 2 training samples"));
}

TEST_F(LoadDataTest, MissingFilesAreNamed) {
  EXPECT_THAT(message_of(idx_spec()), HasSubstr("a-images"));
  EXPECT_THAT(message_of(csv_spec(kRegression)), HasSubstr("a.csv"));
}

TEST_F(LoadDataTest, StandardizesByTrainingSamplesOnly) {
  write("a.csv", "x,c,y\n1,5,0\n3,5,0\n100,5,0\n");
  write("b.csv", "x,c,y\n1,5,0\n");
  const TrainSpec spec = csv_spec(kRegression, {"data.split=last"});
  const NetworkEnds ends = network_ends(spec, load_train_data(spec, {}));
  EXPECT_THAT(ends.mean, testing::ElementsAre(2, 5));
  EXPECT_THAT(ends.std_dev, testing::ElementsAre(1, 1));
  const TrainSpec raw = csv_spec(kRegression, {"input.standardize=false"});
  EXPECT_TRUE(network_ends(raw, load_train_data(raw, {})).mean.empty());
}

TEST_F(LoadDataTest, TestClassesAreNumberedAsTheTrainingClasses) {
  write("a.csv", "x,y\n1,cat\n3,dog\n4,dog\n");
  write("b.csv", "x,y\n1,dog\n");
  const TrainData data = load_train_data(csv_spec(kClassification), {});
  EXPECT_THAT(data.test.classes, testing::ElementsAre(1));
  EXPECT_THAT(data.test.labels, testing::ElementsAre("cat", "dog"));
  write("b.csv", "x,y\n1,emu\n");
  EXPECT_THAT(message_of(csv_spec(kClassification)),
              HasSubstr("has the class 'emu', which the training data has not"));
}

TEST_F(LoadDataTest, TestFeaturesMustBeThoseOfTraining) {
  write("a.csv", "x,y\n1,2\n3,4\n");
  write("b.csv", "x,z,y\n1,2,3\n");
  EXPECT_NE(message_of(csv_spec(kRegression)), "no error");
}

TEST(SplitTest, RandomPartsAreTheSameAndComplete) {
  DataSpec spec;
  spec.split = SplitKind::kRandom;
  spec.validation_fraction = 0.25;
  const Split split = split_samples(spec, 100);
  EXPECT_EQ(split.training.size(), 75U);
  EXPECT_EQ(split.validation.size(), 25U);
  std::set<std::uint32_t> all(split.training.begin(), split.training.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all.size(), 100U);
  EXPECT_NE(split.validation.front(), 75U);
  EXPECT_EQ(split_samples(spec, 100).validation, split.validation);
}

TEST(SplitTest, FractionKeepsAtLeastOne) {
  DataSpec spec;
  spec.validation_fraction = 0.01;
  EXPECT_THAT(split_samples(spec, 3).validation, testing::ElementsAre(2));
  EXPECT_THROW(split_samples(spec, 1), Error);
}

}  // namespace
}  // namespace onnxop
