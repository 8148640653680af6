#include "onnxop/data/batches.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kSide = 6;
constexpr std::size_t kPixels = kSide * kSide;

/// Images whose first pixel is their index, of three classes in turn.
Dataset images(std::int64_t n) {
  Dataset data;
  data.samples = Tensor(DType::kUint8, {n, kSide, kSide, 1});
  const auto pixels = data.samples.values<std::uint8_t>();
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i % kPixels == 0 ? i / kPixels : 37 * i);
  }
  for (std::int32_t i = 0; i < n; ++i) {
    data.classes.push_back(i % 3);
  }
  data.labels = {"a", "b", "c"};
  return data;
}

std::vector<std::uint32_t> all(std::uint32_t n) {
  std::vector<std::uint32_t> indices(n);
  std::iota(indices.begin(), indices.end(), 0U);
  return indices;
}

void copy(std::span<const std::uint8_t> pixels, std::span<float> values) {
  std::copy(pixels.begin(), pixels.end(), values.begin());
}

struct Pass {
  std::vector<std::int64_t> sizes;
  std::vector<float> inputs, targets;

  /// The samples in the order in which they came.
  std::vector<int> order() const {
    std::vector<int> result;
    for (std::size_t i = 0; i < inputs.size(); i += kPixels) {
      result.push_back(static_cast<int>(inputs[i]));
    }
    return result;
  }
};

Pass read(const Dataset& data, std::vector<std::uint32_t> indices, const BatchOptions& options) {
  BatchReader reader(data, std::move(indices), options, copy);
  Pass pass;
  while (const auto batch = reader.next()) {
    pass.sizes.push_back(batch->n);
    pass.inputs.insert(pass.inputs.end(), batch->inputs.begin(), batch->inputs.end());
    pass.targets.insert(pass.targets.end(), batch->targets.begin(), batch->targets.end());
  }
  EXPECT_FALSE(reader.next());
  return pass;
}

TEST(BatchReader, KeepsTheOrderOfTheIndices) {
  const Dataset data = images(10);
  const Pass pass = read(data, {7, 3, 3, 9, 0}, {.batch = 2});
  EXPECT_THAT(pass.sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(pass.order(), ElementsAre(7, 3, 3, 9, 0));
  EXPECT_THAT(pass.targets, ElementsAre(0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0));
  const auto pixels = data.samples.values<std::uint8_t>();
  for (std::size_t i = 0; i < kPixels; ++i) {
    ASSERT_EQ(pass.inputs[i], pixels[7 * kPixels + i]);
  }
}

TEST(BatchReader, NothingToReadIsTheEnd) {
  EXPECT_THAT(read(images(3), {}, {.batch = 2}).sizes, ElementsAre());
}

TEST(BatchReader, ShufflesEachSampleOnceByItsSeedAndEpoch) {
  const Dataset data = images(100);
  const auto order = [&](std::uint64_t seed, std::uint64_t epoch) {
    return read(data, all(100), {.batch = 32, .shuffle = true, .seed = seed, .epoch = epoch})
        .order();
  };
  const auto first = order(1, 0);
  EXPECT_EQ(order(1, 0), first);
  EXPECT_NE(order(1, 1), first);
  EXPECT_NE(order(2, 0), first);
  auto sorted = first;
  std::sort(sorted.begin(), sorted.end());
  const auto indices = all(100);
  EXPECT_EQ(sorted, std::vector<int>(indices.begin(), indices.end()));
  EXPECT_NE(first, sorted);
}

TEST(BatchReader, TargetsGoWithTheirSamples) {
  const Pass pass = read(images(50), all(50), {.batch = 7, .shuffle = true, .seed = 4});
  const auto order = pass.order();
  for (std::size_t i = 0; i < 50; ++i) {
    for (int kind = 0; kind < 3; ++kind) {
      ASSERT_EQ(pass.targets[3 * i + static_cast<std::size_t>(kind)], order[i] % 3 == kind);
    }
  }
}

TEST(BatchReader, ContentDoesNotDependOnSizesOfBatchesOrReadAhead) {
  const Dataset data = images(40);
  BatchOptions options{.batch = 40, .shuffle = true, .seed = 3, .epoch = 2};
  options.augment = {.shift = 0.2, .rotate_degrees = 20, .zoom = 0.1};
  const Pass whole = read(data, all(40), options);
  for (const std::int64_t batch : {1, 7, 100}) {
    for (const int ahead : {1, 5}) {
      options.batch = batch;
      options.ahead = ahead;
      const Pass pass = read(data, all(40), options);
      EXPECT_EQ(pass.inputs, whole.inputs);
      EXPECT_EQ(pass.targets, whole.targets);
    }
  }
}

TEST(BatchReader, AugmentsEachSampleByItsIndex) {
  const Dataset data = images(5);
  const AugmentOptions augment{.shift = 0.3, .rotate_degrees = 40, .zoom = 0.2};
  const Pass pass = read(data, {4, 2}, {.batch = 8, .seed = 9, .epoch = 6, .augment = augment});
  const auto pixels = data.samples.values<std::uint8_t>();
  std::vector<float> wanted;
  for (const std::size_t index : {4, 2}) {
    std::vector<std::uint8_t> changed(kPixels);
    augment_image(pixels.subspan(index * kPixels, kPixels), kSide, kSide, 1, augment, 9, 6, index,
                  changed);
    wanted.insert(wanted.end(), changed.begin(), changed.end());
  }
  EXPECT_EQ(pass.inputs, wanted);
}

TEST(BatchReader, NumbersAreCopied) {
  Dataset data;
  data.samples = Tensor::of<float>({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  data.values = Tensor::of<float>({3, 1}, std::vector<float>{-1, -2, -3});
  const Pass pass = read(data, {2, 0}, {.batch = 2});
  EXPECT_THAT(pass.inputs, ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(pass.targets, ElementsAre(-3, -1));
}

TEST(BatchReader, ReadsAheadNoFurtherThanAllowed) {
  const Dataset data = images(60);
  std::atomic<int> taken = 0;
  std::atomic<int> made = 0;
  std::atomic<int> furthest = 0;
  constexpr int kAhead = 3;
  {
    BatchReader reader(data, all(60), {.batch = 1, .ahead = kAhead}, [&](auto pixels, auto values) {
      copy(pixels, values);
      furthest = std::max<int>(furthest, ++made - taken);
    });
    for (int i = 0; i < 40; ++i) {
      ++taken;  // before the call, which makes room
      ASSERT_TRUE(reader.next());
    }
  }
  EXPECT_LE(furthest, kAhead);
  EXPECT_LE(made, 40 + kAhead);
}

TEST(BatchReader, MayBeDroppedAtAnyMoment) {
  const Dataset data = images(20);
  for (int read_before = 0; read_before < 6; ++read_before) {
    BatchReader reader(data, all(20), {.batch = 2, .ahead = 2}, copy);
    for (int i = 0; i < read_before; ++i) {
      ASSERT_TRUE(reader.next());
    }
  }
}

TEST(BatchReader, PassesOnWhatTheConverterThrows) {
  const Dataset data = images(10);
  BatchReader reader(data, all(10), {.batch = 2}, [](auto pixels, auto values) {
    if (pixels[0] == 5) {
      throw std::domain_error("five");
    }
    copy(pixels, values);
  });
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  EXPECT_THROW(reader.next(), std::domain_error);
  EXPECT_THROW(reader.next(), std::domain_error);
}

std::string message_of(const Dataset& data, std::vector<std::uint32_t> indices,
                       const BatchOptions& options) {
  const Error error =
      error_of([&] { const BatchReader reader(data, std::move(indices), options, copy); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  return error.what();
}

TEST(BatchReader, RefusesBadOptions) {
  const Dataset data = images(3);
  EXPECT_THAT(message_of(data, {0}, {.batch = 0}), HasSubstr("batches of 0 samples"));
  EXPECT_THAT(message_of(data, {0}, {.ahead = 0}), HasSubstr("0 ahead"));
  EXPECT_THAT(message_of(data, {0, 3}, {}), HasSubstr("sample 3 of a data set of 3"));
  EXPECT_THAT(message_of(data, {0}, {.augment = {.zoom = 1}}), HasSubstr("zoom is 1"));
  Dataset numbers;
  numbers.samples = Tensor(DType::kFloat32, {3, 2});
  numbers.values = Tensor(DType::kFloat32, {3, 1});
  EXPECT_THAT(message_of(numbers, {0}, {.augment = {.shift = 0.1}}),
              HasSubstr("augmentation is for images"));
}

}  // namespace
}  // namespace onnxop
