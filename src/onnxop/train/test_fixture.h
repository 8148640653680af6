#pragma once
// Small data sets in a temporary folder, for the tests of the training loop.

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/format.h"
#include "onnxop/base/random.h"
#include "onnxop/train/trainer.h"

namespace onnxop {

inline void put_big_endian(std::string& text, std::int64_t value) {
  for (const int shift : {24, 16, 8, 0}) {
    text += static_cast<char>(value >> shift & 255);
  }
}

/// Writes NAME-images and NAME-labels; pixels are n * size * size.
inline void write_idx_files(const std::filesystem::path& folder, const std::string& name,
                            std::int64_t size, const std::string& pixels,
                            const std::string& classes) {
  std::string images("\0\0\x08\x03", 4), labels("\0\0\x08\x01", 4);
  for (const std::int64_t value : {std::ssize(classes), size, size}) {
    put_big_endian(images, value);
  }
  put_big_endian(labels, std::ssize(classes));
  write_file_atomically(folder / (name + "-images"), as_bytes(images + pixels));
  write_file_atomically(folder / (name + "-labels"), as_bytes(labels + classes));
}

/// Noisy 8x8 images with one bright quarter, whose number is the class.
inline void write_quarters(const std::filesystem::path& folder, const std::string& name, int n,
                           std::uint64_t seed) {
  Random random(seed, 1);
  std::string pixels, classes;
  for (int i = 0; i < n; ++i) {
    const auto quarter = random.below(4);
    classes += static_cast<char>(quarter);
    for (std::uint32_t at = 0; at < 64; ++at) {
      const bool bright = (at / 32) * 2 + (at % 8) / 4 == quarter;
      pixels += static_cast<char>(random.below(160) + (bright ? 90 : 0));
    }
  }
  write_idx_files(folder, name, 8, pixels, classes);
}

class TrainFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    write_quarters(folder_, "train", 300, 1);
    write_quarters(folder_, "test", 100, 2);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path make_folder(const std::string& name) const {
    std::filesystem::create_directories(folder_ / name);
    return folder_ / name;
  }

  TrainSpec quarters(const std::vector<std::string>& overrides = {}) const {
    return parse_spec(R"(
name: quarters
data: {kind: idx, train_images: train-images, train_labels: train-labels, test_images: test-images,
       test_labels: test-labels, classes: 4, validation: 60}
input: {width: 8, height: 8}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, padding: same}
  - BatchNormalization: {momentum: 0.9}
  - ReLU
  - MaxPooling2D
  - Dropout: {rate: 0.2}
  - Flatten
  - Dense: {units: 16, activation: relu}
  - Dense: {units: 4, activation: softmax}
train: {epochs: 4, batch_size: 32, optimizer: {Adam: {learning_rate: 0.01}}}
)",
                      folder_ / "quarters.yaml", overrides);
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      format("train_{}_{}", testing::UnitTest::GetInstance()->current_test_info()->name(),
             ::testing::UnitTest::GetInstance()->random_seed());
};

}  // namespace onnxop
