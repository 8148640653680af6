#include "onnxop/preprocess/preprocess.h"

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/data/batches.h"
#include "onnxop/data/mnist.h"
#include "onnxop/image/codec.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ImageInput input_of(int width, int height, ImageColor color) {
  ImageInput input;
  input.name = "image";
  input.color = color;
  input.width = width;
  input.height = height;
  return input;
}

const Image kGray{2, 1, 1, {10, 250}};
const Image kRgb{2, 1, 3, {1, 2, 3, 4, 5, 6}};

template <typename T>
std::vector<T> elements(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

TEST(FitImage, LeavesAFittingImageAlone) {
  const Image image = fit_image(kRgb, input_of(2, 1, ImageColor::kRgb));
  EXPECT_EQ(image.pixels, kRgb.pixels);
}

TEST(FitImage, ChangesColourThenSize) {
  // Luma of (0, 0, 255) is 29, of white 255; their mean is 142.
  const Image image{2, 1, 3, {0, 0, 255, 255, 255, 255}};
  EXPECT_EQ(fit_image(image, input_of(1, 1, ImageColor::kGray)).pixels,
            (std::vector<std::uint8_t>{142}));
  EXPECT_EQ(fit_image(kGray, input_of(1, 1, ImageColor::kRgb)).pixels,
            (std::vector<std::uint8_t>{130, 130, 130}));
}

TEST(FitImage, ResizesAsTheContractSays) {
  const Image image{4, 1, 1, {0, 100, 40, 200}};
  ImageInput input = input_of(1, 1, ImageColor::kGray);
  EXPECT_EQ(fit_image(image, input).pixels, (std::vector<std::uint8_t>{85}));
  input.resize = ImageResize::kBilinear;
  EXPECT_EQ(fit_image(image, input).pixels, (std::vector<std::uint8_t>{70}));
  input.resize = ImageResize::kNearest;
  EXPECT_EQ(fit_image(image, input).pixels, (std::vector<std::uint8_t>{40}));
}

TEST(PixelsToValues, AreThePixelsWhereNothingIsScaled) {
  std::vector<float> values(2);
  pixels_to_values(kGray.pixels, input_of(2, 1, ImageColor::kGray), values);
  EXPECT_THAT(values, ElementsAre(10, 250));
}

TEST(PixelsToValues, AreScaledChannelByChannel) {
  ImageInput input = input_of(2, 1, ImageColor::kRgb);
  input.scale = 0.5F;
  input.mean = {1, 2, 4};
  input.std_dev = {1, 0.5F, 0.25F};
  std::vector<float> values(6);
  pixels_to_values(kRgb.pixels, input, values);
  EXPECT_THAT(values, ElementsAre(0, 0, -2, 1.5F, 3, 4));
  input.layout = ImageLayout::kNchw;
  pixels_to_values(kRgb.pixels, input, values);
  EXPECT_THAT(values, ElementsAre(0, 1.5F, 0, 3, -2, 4));
}

TEST(PixelsToValues, RoundOnceForEachStepOfTheFormula) {
  ImageInput input = input_of(2, 1, ImageColor::kGray);
  input.scale = 1.0F / 255;
  input.mean = {33.3F};
  input.std_dev = {0.3F};
  std::vector<float> values(2);
  pixels_to_values(kGray.pixels, input, values);
  EXPECT_THAT(values,
              ElementsAre((10 - 33.3F) * (1.0F / 255) / 0.3F, (250 - 33.3F) * (1.0F / 255) / 0.3F));
}

TEST(PixelsToValues, LayoutAloneMovesThePixels) {
  ImageInput input = input_of(2, 1, ImageColor::kRgb);
  input.layout = ImageLayout::kNchw;
  std::vector<float> values(6);
  pixels_to_values(kRgb.pixels, input, values);
  EXPECT_THAT(values, ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(PixelsToValues, OtherSizesAreRefused) {
  const ImageInput input = input_of(2, 1, ImageColor::kRgb);
  std::vector<float> values(6);
  const Error pixels = error_of([&] { pixels_to_values(kGray.pixels, input, values); });
  EXPECT_EQ(pixels.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(pixels.what(), HasSubstr("2 pixel bytes to 6 values, expected 1 x 2 x 3"));
  values.pop_back();
  EXPECT_EQ(error_of([&] { pixels_to_values(kRgb.pixels, input, values); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(ImagesToTensor, JoinsFittedImages) {
  const std::vector<Image> images{kRgb, kGray, {1, 1, 1, {9}}};
  const Tensor nhwc = images_to_tensor(images, input_of(2, 1, ImageColor::kRgb), DType::kFloat32);
  EXPECT_EQ(nhwc.shape(), (Shape{3, 1, 2, 3}));
  EXPECT_THAT(elements<float>(nhwc),
              ElementsAre(1, 2, 3, 4, 5, 6, 10, 10, 10, 250, 250, 250, 9, 9, 9, 9, 9, 9));
  ImageInput input = input_of(2, 1, ImageColor::kRgb);
  input.layout = ImageLayout::kNchw;
  const Tensor nchw = images_to_tensor(std::span(images).first(2), input, DType::kFloat32);
  EXPECT_EQ(nchw.shape(), (Shape{2, 3, 1, 2}));
  EXPECT_THAT(elements<float>(nchw), ElementsAre(1, 4, 2, 5, 3, 6, 10, 250, 10, 250, 10, 250));
}

TEST(ImagesToTensor, UnscaledPixelsMayStayBytes) {
  ImageInput input = input_of(2, 1, ImageColor::kRgb);
  const std::vector<Image> images{kRgb};
  EXPECT_THAT(elements<std::uint8_t>(images_to_tensor(images, input, DType::kUint8)),
              ElementsAre(1, 2, 3, 4, 5, 6));
  input.layout = ImageLayout::kNchw;
  const Tensor nchw = images_to_tensor(images, input, DType::kUint8);
  EXPECT_EQ(nchw.shape(), (Shape{1, 3, 1, 2}));
  EXPECT_THAT(elements<std::uint8_t>(nchw), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(ImagesToTensor, RefusesWhatItCannotMake) {
  ImageInput input = input_of(2, 1, ImageColor::kGray);
  const std::vector<Image> images{kGray};
  EXPECT_EQ(error_of([&] { images_to_tensor(images, input, DType::kInt64); }).code(),
            ErrorCode::kUnsupported);
  for (const auto& change : std::vector<std::function<void(ImageInput&)>>{
           [](ImageInput& i) { i.scale = 0.5F; }, [](ImageInput& i) { i.mean = {1}; },
           [](ImageInput& i) { i.std_dev = {2}; }}) {
    ImageInput scaled = input;
    change(scaled);
    const Error error = error_of([&] { images_to_tensor(images, scaled, DType::kUint8); });
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(error.what(), HasSubstr("input 'image' is uint8"));
  }
}

TEST(ImagesToTensor, OfNoImagesIsAnEmptyBatch) {
  const Tensor tensor = images_to_tensor({}, input_of(2, 3, ImageColor::kGray), DType::kFloat32);
  EXPECT_EQ(tensor.shape(), (Shape{0, 3, 2, 1}));
}

/// What the network is trained on, and what it is served for the same picture sent as a PNG.
void expect_same_both_ways(const Dataset& data, std::uint32_t n, const ImageInput& input) {
  std::vector<std::uint32_t> indices;
  for (std::uint32_t i = 0; i < n; ++i) {
    indices.push_back(i);
  }
  BatchReader reader(data, indices, {.batch = n},
                     [&](auto pixels, auto values) { pixels_to_values(pixels, input, values); });
  const auto batch = reader.next();
  ASSERT_TRUE(batch);
  const Shape shape = data.sample_shape();
  const auto size = static_cast<std::size_t>(element_count(shape));
  std::vector<Image> images;
  for (const auto i : indices) {
    const auto pixels = data.samples.values<std::uint8_t>().subspan(i * size, size);
    const Image image{static_cast<int>(shape[1]),
                      static_cast<int>(shape[0]),
                      static_cast<int>(shape[2]),
                      {pixels.begin(), pixels.end()}};
    images.push_back(decode_image(encode_png(image)));
  }
  EXPECT_EQ(elements<float>(images_to_tensor(images, input, DType::kFloat32)), batch->inputs);
}

TEST(TrainingAndServing, SeeTheSameValues) {
  Dataset data;
  data.samples = Tensor(DType::kUint8, {4, 3, 5, 3});
  std::uint32_t state = 1;
  for (auto& pixel : data.samples.values<std::uint8_t>()) {
    state = state * 1664525 + 1013904223;
    pixel = static_cast<std::uint8_t>(state >> 24);
  }
  data.classes = {0, 1, 0, 1};
  data.labels = {"a", "b"};
  ImageInput input = input_of(5, 3, ImageColor::kRgb);
  expect_same_both_ways(data, 4, input);
  input.layout = ImageLayout::kNchw;
  input.scale = 1.0F / 255;
  input.mean = {123.675F, 116.28F, 103.53F};
  input.std_dev = {0.229F, 0.224F, 0.225F};
  expect_same_both_ways(data, 4, input);
}

TEST(TrainingAndServing, SeeTheSameDigits) {
  const auto mnist = default_data_dir() / "mnist";
  if (!std::filesystem::exists(mnist / "t10k-images-idx3-ubyte")) {
    GTEST_SKIP() << "no MNIST at " << mnist;
  }
  expect_same_both_ways(load_mnist(mnist, "test"), 200, input_of(28, 28, ImageColor::kGray));
}

}  // namespace
}  // namespace onnxop
