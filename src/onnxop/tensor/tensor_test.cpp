#include "onnxop/tensor/tensor.h"

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

TEST(Shape, CountsElementsAndRefusesNonsense) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({1 << 30, 1 << 30, 1 << 30, 0}), 0)
      << "an empty tensor stays one, whatever the other sizes";
  EXPECT_THROW(element_count({2, -1}), Error);
  EXPECT_THROW(element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}), Error);
  EXPECT_EQ(shape_text({2, -1, 28}), "[2, ?, 28]");
}

TEST(Tensor, OwnedMemoryIsZeroAndAligned) {
  Tensor tensor(DType::kFloat32, {3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % 64, 0U);
  EXPECT_EQ(tensor.bytes().size(), 60U);
  for (const float value : tensor.values<float>()) {
    EXPECT_EQ(value, 0.0F);
  }
}

TEST(Tensor, ViewLooksAtForeignMemory) {
  std::array<std::int32_t, 4> memory{1, 2, 3, 4};
  Tensor view = Tensor::view(DType::kInt32, {2, 2}, std::as_writable_bytes(std::span(memory)));
  memory[3] = 9;
  EXPECT_EQ(view.values<std::int32_t>()[3], 9);
  const Tensor copy = view.clone();
  memory[3] = 10;
  EXPECT_EQ(copy.values<std::int32_t>()[3], 9);
}

TEST(Tensor, SharedKeepsItsOwner) {
  auto owner = std::make_shared<std::array<float, 2>>();
  Tensor tensor =
      Tensor::shared(DType::kFloat32, {2}, std::as_writable_bytes(std::span(*owner)), owner);
  EXPECT_EQ(owner.use_count(), 2);
  tensor = Tensor();
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(Tensor, ShareLooksAtMemoryThatIsKeptAndCopiesOther) {
  Tensor owned(DType::kFloat32, {2});
  owned.values<float>()[1] = 7;
  const Tensor same = owned.share();
  EXPECT_EQ(same.bytes().data(), owned.bytes().data());
  owned = Tensor();
  EXPECT_EQ(same.values<float>()[1], 7) << "it keeps the memory";

  std::vector<float> foreign{1, 2};
  const Tensor view =
      Tensor::view(DType::kFloat32, {2}, std::as_writable_bytes(std::span(foreign)));
  const Tensor copy = view.share();
  foreign[0] = 5;
  EXPECT_EQ(copy.values<float>()[0], 1);
  EXPECT_EQ(Tensor::of_strings({1}, {"text"}).share().strings()[0], "text");
  EXPECT_EQ(Tensor().share().dtype(), DType::kUndefined);
}

TEST(Tensor, SizesAndTypesAreChecked) {
  std::array<std::byte, 8> memory{};
  EXPECT_THROW(Tensor::view(DType::kFloat32, {3}, memory), Error);
  EXPECT_THROW(Tensor(DType::kString, {1}), Error);
  const Tensor tensor(DType::kInt64, {2});
  EXPECT_THROW(tensor.values<float>(), Error);
  const std::array<float, 3> three{1, 2, 3};
  EXPECT_THROW(Tensor::of<float>({2}, three), Error);
  EXPECT_EQ(Tensor::of<float>({3}, three).values<float>()[2], 3.0F);
}

TEST(DType, NamesAndSizes) {
  EXPECT_EQ(dtype_name(DType::kBfloat16), "bfloat16");
  EXPECT_EQ(dtype_size(DType::kBfloat16), 2U);
  EXPECT_EQ(dtype_size(DType::kString), 0U);
  EXPECT_EQ(dtype_name(static_cast<DType>(99)), "undefined");
}

TEST(Tensor, OfTexts) {
  const std::vector<std::string> texts{"a", "", "c"};
  const Tensor tensor = Tensor::of_strings({3, 1}, texts);
  EXPECT_EQ(tensor.dtype(), DType::kString);
  EXPECT_EQ(tensor.size(), 3);
  EXPECT_TRUE(tensor.bytes().empty());
  EXPECT_TRUE(std::equal(texts.begin(), texts.end(), tensor.strings().begin()));
  const Tensor copy = tensor.clone();
  EXPECT_TRUE(std::equal(texts.begin(), texts.end(), copy.strings().begin()));
  EXPECT_THROW(Tensor::of_strings({2}, {"one"}), Error);
  EXPECT_THROW(Tensor(DType::kInt8, {1}).strings(), Error);
  EXPECT_THROW(tensor.values<float>(), Error);
  EXPECT_TRUE(Tensor::of_strings({0, 4}, {}).strings().empty());
}

TEST(Tensor, TextsOutliveWhatTheyWereMovedFrom) {
  Tensor from = Tensor::of_strings({2}, {"first", std::string(100, 'x')});
  const std::string* const memory = from.strings().data();
  const Tensor copy = from.clone();
  Tensor to = std::move(from);
  EXPECT_EQ(to.strings().data(), memory) << "moving copies no texts";
  EXPECT_EQ(to.strings()[1].size(), 100U);
  EXPECT_TRUE(from.strings().empty());  // NOLINT(bugprone-use-after-move): what is left is meant
  to = Tensor(DType::kInt8, {1});
  EXPECT_THROW(to.strings(), Error);
  EXPECT_EQ(copy.strings()[0], "first");
}

template <typename T>
void check_type(DType expected) {
  EXPECT_EQ(DTypeOf<T>::value, expected);
  EXPECT_EQ(dtype_size(expected), sizeof(T)) << dtype_name(expected);
  Tensor tensor(expected, {3});
  EXPECT_EQ(tensor.values<T>().size(), 3U);
}

TEST(DType, OfEveryTypeThatCppHas) {
  check_type<bool>(DType::kBool);
  check_type<std::int8_t>(DType::kInt8);
  check_type<std::uint8_t>(DType::kUint8);
  check_type<std::int16_t>(DType::kInt16);
  check_type<std::uint16_t>(DType::kUint16);
  check_type<std::int32_t>(DType::kInt32);
  check_type<std::uint32_t>(DType::kUint32);
  check_type<std::int64_t>(DType::kInt64);
  check_type<std::uint64_t>(DType::kUint64);
  check_type<float>(DType::kFloat32);
  check_type<double>(DType::kFloat64);
}

}  // namespace
}  // namespace onnxop
