#include "onnxop/batch/merge.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

std::vector<NamedTensor> caller(std::int64_t rows, float first) {
  std::vector<float> values(static_cast<std::size_t>(rows) * 3);
  std::iota(values.begin(), values.end(), first);
  std::vector<std::int64_t> ids(static_cast<std::size_t>(rows), static_cast<std::int64_t>(first));
  std::vector<NamedTensor> inputs;
  inputs.push_back({"x", Tensor::of<float>({rows, 3}, values)});
  inputs.push_back({"id", Tensor::of<std::int64_t>({rows}, ids)});
  return inputs;
}

TEST(Merge, RowsOfAllCallersInOrder) {
  const auto a = caller(2, 10);
  const auto b = caller(1, 50);
  const std::vector<std::span<const NamedTensor>> both{a, b};
  MergeBuffer buffer;
  for (int again = 0; again < 2; ++again) {
    const auto merged = buffer.merge(both);
    ASSERT_EQ(merged.size(), 2U);
    EXPECT_EQ(merged[0].name, "x");
    EXPECT_THAT(merged[0].tensor.shape(), ElementsAre(3, 3));
    EXPECT_THAT(merged[0].tensor.values<float>(), ElementsAre(10, 11, 12, 13, 14, 15, 50, 51, 52));
    EXPECT_THAT(merged[1].tensor.values<std::int64_t>(), ElementsAre(10, 10, 50));
  }
}

TEST(Merge, WhatDoesNotFitIsRefused) {
  const auto a = caller(1, 1);
  MergeBuffer buffer;
  const auto refused = [&](const std::vector<NamedTensor>& other) {
    const std::vector<std::span<const NamedTensor>> both{a, other};
    EXPECT_THROW(buffer.merge(both), Error);
  };
  auto renamed = caller(1, 1);
  renamed[0].name = "y";
  refused(renamed);
  auto wider = caller(1, 1);
  wider[0].tensor = Tensor(DType::kFloat32, {1, 4});
  refused(wider);
  auto typed = caller(1, 1);
  typed[0].tensor = Tensor(DType::kInt32, {1, 3});
  refused(typed);
  auto fewer = caller(1, 1);
  fewer.pop_back();
  refused(fewer);
  auto scalar = caller(1, 1);
  scalar[1].tensor = Tensor(DType::kInt64, {});
  refused(scalar);
}

TEST(ShapeKey, DiffersInTypeAndAllDimensionsButTheFirst) {
  EXPECT_EQ(shape_key(caller(1, 1)), shape_key(caller(7, 2)));
  auto typed = caller(1, 1);
  typed[0].tensor = Tensor(DType::kInt32, {1, 3});
  EXPECT_NE(shape_key(typed), shape_key(caller(1, 1)));
  auto wider = caller(1, 1);
  wider[0].tensor = Tensor(DType::kFloat32, {1, 4});
  EXPECT_NE(shape_key(wider), shape_key(caller(1, 1)));
  auto deeper = caller(1, 1);
  deeper[0].tensor = Tensor(DType::kFloat32, {1, 3, 1});
  EXPECT_NE(shape_key(deeper), shape_key(caller(1, 1)));
}

TEST(BatchRows, WhatAllInputsShare) {
  EXPECT_EQ(batch_rows(caller(5, 1)), 5);
  auto uneven = caller(5, 1);
  uneven[1].tensor = Tensor(DType::kInt64, {4});
  EXPECT_EQ(batch_rows(uneven), 0);
  uneven[1].tensor = Tensor(DType::kInt64, {});
  EXPECT_EQ(batch_rows(uneven), 0);
  EXPECT_EQ(batch_rows({}), 0);
}

TEST(SplitRows, EachCallerGetsItsOwnWithoutACopy) {
  std::vector<NamedTensor> outputs = caller(6, 0);
  const std::byte* const memory = outputs[0].tensor.bytes().data();
  const std::vector<std::int64_t> rows{1, 3, 2};
  auto parts = split_rows(std::move(outputs), rows);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[1][0].name, "x");
  EXPECT_THAT(parts[1][0].tensor.shape(), ElementsAre(3, 3));
  EXPECT_EQ(parts[1][0].tensor.bytes().data(), memory + 3 * sizeof(float));
  EXPECT_THAT(parts[2][0].tensor.values<float>(), ElementsAre(12, 13, 14, 15, 16, 17));
  const std::vector<NamedTensor> kept = std::move(parts[2]);
  parts.clear();
  EXPECT_THAT(kept[0].tensor.values<float>(), ElementsAre(12, 13, 14, 15, 16, 17))
      << "one caller's part keeps the memory";
}

TEST(SplitRows, AnOutputWithoutTheRowsIsAnError) {
  std::vector<NamedTensor> outputs = caller(6, 0);
  outputs.push_back({"mean", Tensor(DType::kFloat32, {1})});
  const std::vector<std::int64_t> rows{3, 3};
  EXPECT_THROW(split_rows(std::move(outputs), rows), Error);
}

}  // namespace
}  // namespace onnxop
