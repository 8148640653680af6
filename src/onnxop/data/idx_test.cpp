#include <numeric>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/data/dataset.h"

namespace onnxop {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string word(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> shift & 255);
  }
  return text;
}

std::string header(std::uint32_t magic, const std::vector<std::uint32_t>& sizes) {
  std::string text = word(magic);
  for (const auto size : sizes) {
    text += word(size);
  }
  return text;
}

/// Three images of 2 x 2 with the pixels 0 to 11, and their labels.
class Idx : public testing::Test {
 protected:
  Idx() {
    std::string pixels(12, '\0');
    std::iota(pixels.begin(), pixels.end(), '\0');
    images_ = header(0x803, {3, 2, 2}) + pixels;
    labels_ = header(0x801, {3}) + std::string("\2\0\1", 3);
  }

  Dataset load(int classes = 3) const {
    return load_idx(folder_.write("images", images_), folder_.write("labels", labels_), classes);
  }

  void expect_data_loss(const std::string& what) const {
    const Error error = error_of([this] { load(); });
    EXPECT_EQ(error.code(), ErrorCode::kDataLoss);
    EXPECT_THAT(error.what(), HasSubstr(what));
  }

  TestFolder folder_;
  std::string images_, labels_;
};

TEST_F(Idx, HoldsPixelsAndClasses) {
  const Dataset data = load();
  EXPECT_EQ(data.size(), 3);
  EXPECT_EQ(data.samples.dtype(), DType::kUint8);
  EXPECT_EQ(data.samples.shape(), (Shape{3, 2, 2, 1}));
  EXPECT_EQ(data.sample_shape(), (Shape{2, 2, 1}));
  const auto pixels = data.samples.values<std::uint8_t>();
  EXPECT_THAT(std::vector<int>(pixels.begin(), pixels.end()),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(data.classes, ElementsAre(2, 0, 1));
  EXPECT_THAT(data.labels, ElementsAre("0", "1", "2"));
  EXPECT_EQ(data.outputs(), 3);
}

TEST_F(Idx, HashIsOfTheContentInTheOrderThatIsDocumented) {
  std::string content = "uint8 [3, 2, 2, 1]\n" + images_.substr(16) + "1 0\n1 1\n1 2\n";
  for (const int label : {2, 0, 1}) {
    content += static_cast<char>(label);
    content += std::string(3, '\0');
  }
  EXPECT_EQ(load().sha256, sha256_hex(as_bytes(content)));
}

TEST_F(Idx, HashChangesWithPixelsClassesAndLabels) {
  const std::string before = load().sha256;
  EXPECT_EQ(load().sha256, before);
  EXPECT_NE(load(4).sha256, before);
  images_.back() = 'x';
  const std::string other_pixels = load().sha256;
  EXPECT_NE(other_pixels, before);
  labels_.back() = '\2';
  EXPECT_NE(load().sha256, other_pixels);
}

TEST_F(Idx, EveryTruncationIsNoticedInEitherFile) {
  const std::string images = images_;
  for (std::size_t size = 0; size < images.size(); ++size) {
    images_ = images.substr(0, size);
    expect_data_loss((folder_.path() / "images").string() + ": ");
  }
  images_ = images;
  const std::string labels = labels_;
  for (std::size_t size = 0; size < labels.size(); ++size) {
    labels_ = labels.substr(0, size);
    expect_data_loss((folder_.path() / "labels").string() + ": ");
  }
}

TEST_F(Idx, SaysWhatIsThereAndWhatIsMissing) {
  images_.pop_back();
  expect_data_loss("11 bytes behind the header, expected 12 for its shape [3, 2, 2] (truncated)");
  images_ += "ab";
  expect_data_loss("13 bytes behind the header, expected 12 for its shape [3, 2, 2] (too long)");
}

TEST_F(Idx, RefusesOtherTypesAndDimensions) {
  images_ = header(0xD03, {3, 2, 2}) + std::string(48, 'x');  // float32
  expect_data_loss("begins with 0x00000d03, expected 0x00000803 (IDX, uint8, 3 dimension(s))");
  images_ = header(0x801, {3}) + "abcdefghi";
  expect_data_loss("begins with 0x00000801");
  images_ = "\x1f\x8b\x08 a file that was never unpacked";
  expect_data_loss("begins with 0x1f8b0820");
}

TEST_F(Idx, RefusesSizesThatOverflow) {
  for (const auto& sizes : std::vector<std::vector<std::uint32_t>>{
           {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {0x80000000, 0x80000000, 4}, {3, 0x40000000, 4}}) {
    images_ = header(0x803, sizes) + std::string(12, 'x');
    expect_data_loss("images: ");
  }
}

TEST_F(Idx, RefusesNoPixels) {
  labels_ = header(0x801, {0});
  images_ = header(0x803, {0, 2, 2});
  expect_data_loss("no pixels");
  labels_ = header(0x801, {3}) + std::string("\0\0\0", 3);
  images_ = header(0x803, {3, 0, 2});
  expect_data_loss("no pixels");
}

TEST_F(Idx, RefusesOtherCountsOfLabels) {
  labels_ = header(0x801, {2}) + std::string("\0\1", 2);
  const Error error = error_of([this] { load(); });
  EXPECT_EQ(error.code(), ErrorCode::kDataLoss);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("images has 3 images"), HasSubstr("labels has 2")));
}

TEST_F(Idx, RefusesLabelsOutsideTheClasses) {
  labels_.back() = '\3';
  expect_data_loss("labels: label 2 is 3, expected 0 to 2");
}

TEST_F(Idx, FilesThatAreNotThereAreNamed) {
  const Error error = error_of([this] { load_idx(folder_.path() / "none", "none", 3); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr((folder_.path() / "none").string()));
}

}  // namespace
}  // namespace onnxop
