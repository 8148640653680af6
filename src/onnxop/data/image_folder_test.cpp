#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/data/dataset.h"
#include "onnxop/image/codec.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::byte> dot(std::uint8_t value) {
  return encode_png({1, 1, 1, {value}});
}

Dataset load(const TestFolder& folder) {
  return load_image_folder(folder.path(), [](Image image) { return to_gray(std::move(image)); });
}

std::string message_of(const TestFolder& folder) {
  const Error error = error_of([&] { load(folder); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  return error.what();
}

TEST(ImageFolder, FoldersAreClassesSortedByName) {
  const TestFolder folder;
  folder.write("dog/2.png", dot(20));
  folder.write("dog/10.png", dot(10));
  folder.write("cat/z.png", dot(5));
  folder.write(".hidden/a.png", dot(1));
  folder.write("cat/.hidden", "no image");
  folder.write("readme.txt", "beside the folders");
  const Dataset data = load(folder);
  EXPECT_EQ(data.samples.shape(), (Shape{3, 1, 1, 1}));
  const auto pixels = data.samples.values<std::uint8_t>();
  EXPECT_THAT(std::vector<int>(pixels.begin(), pixels.end()), ElementsAre(5, 10, 20));
  EXPECT_THAT(data.labels, ElementsAre("cat", "dog"));
  EXPECT_THAT(data.classes, ElementsAre(0, 1, 1));
  EXPECT_EQ(data.sha256.size(), 64U);
}

TEST(ImageFolder, HashIsOfWhatIsDecoded) {
  const TestFolder one;
  one.write("a/1.png", dot(7));
  const TestFolder two;
  two.write("a/other.pgm", std::string("P5 1 1 255\n\7"));
  EXPECT_EQ(load(one).sha256, load(two).sha256);
  two.write("a/z.png", dot(7));
  EXPECT_NE(load(one).sha256, load(two).sha256);
}

TEST(ImageFolder, BadImagesAreNamed) {
  const TestFolder folder;
  folder.write("a/good.png", dot(1));
  folder.write("a/notes.txt", "what is this doing here?");
  EXPECT_THAT(message_of(folder),
              HasSubstr((folder.path() / "a" / "notes.txt").string() + ": no image"));
}

TEST(ImageFolder, TruncatedImagesAreNamed) {
  const TestFolder folder;
  auto bytes = dot(1);
  bytes.resize(bytes.size() - 5);
  folder.write("a/half.png", bytes);
  EXPECT_THAT(message_of(folder), HasSubstr("half.png: PNG image is truncated"));
}

TEST(ImageFolder, LinksToNowhereAreNamed) {
  const TestFolder folder;
  folder.write("a/good.png", dot(1));
  std::filesystem::create_symlink("nowhere", folder.path() / "a" / "link.png");
  EXPECT_THAT(message_of(folder), HasSubstr("link.png"));
}

TEST(ImageFolder, ImagesOfOtherShapesAreNamed) {
  const TestFolder folder;
  folder.write("a/1.png", dot(1));
  folder.write("b/2.png", encode_png({2, 1, 1, {1, 2}}));
  EXPECT_THAT(message_of(folder),
              HasSubstr("2.png: an image of shape [1, 2, 1], expected [1, 1, 1]"));
}

TEST(ImageFolder, EmptyFoldersAreRefused) {
  const TestFolder folder;
  EXPECT_THAT(message_of(folder), HasSubstr("no folders in it, expected one a class"));
  std::filesystem::create_directory(folder.path() / "cat");
  EXPECT_THAT(message_of(folder), HasSubstr("cat: no images"));
}

TEST(ImageFolder, AFolderThatIsNotThereIsNotFound) {
  const Error error =
      error_of([] { load_image_folder("/nowhere", [](Image image) { return image; }); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace onnxop
