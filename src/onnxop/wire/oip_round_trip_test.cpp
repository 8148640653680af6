// What is written as an answer reads back the same as a request, as JSON and as raw bytes.

#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "onnxop/base/format.h"
#include "onnxop/base/random.h"
#include "onnxop/wire/oip_answer.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

constexpr DType kTypes[] = {DType::kBool,     DType::kUint8,   DType::kUint16,  DType::kUint32,
                            DType::kUint64,   DType::kInt8,    DType::kInt16,   DType::kInt32,
                            DType::kInt64,    DType::kFloat16, DType::kFloat32, DType::kFloat64,
                            DType::kBfloat16, DType::kString};

Tensor random_texts(Shape shape, bool utf8, Random& random) {
  std::vector<std::string> texts(static_cast<std::size_t>(element_count(shape)));
  for (std::string& text : texts) {
    for (std::uint32_t left = random.below(6); left > 0; --left) {
      text += utf8 ? std::string(random.below(2) == 0 ? "ü" : "\x01\"\\")
                   : std::string(1, static_cast<char>(random.below(256)));
    }
  }
  return Tensor::of_strings(std::move(shape), std::move(texts));
}

template <typename T>
void replace_infinities(Tensor& tensor) {
  for (T& value : tensor.values<T>()) {
    value = std::isfinite(value) ? value : static_cast<T>(-0.0);
  }
}

/// Any bits, but for what JSON cannot say where it has to.
Tensor random_tensor(DType dtype, bool for_json, Random& random) {
  Shape shape;
  for (std::uint32_t left = random.below(4); left > 0; --left) {
    shape.push_back(random.below(6));
  }
  if (dtype == DType::kString) {
    return random_texts(std::move(shape), for_json, random);
  }
  Tensor tensor(dtype, std::move(shape));
  for (std::byte& each : tensor.bytes()) {
    each = static_cast<std::byte>(random.below(dtype == DType::kBool ? 2 : 256));
  }
  if (for_json && dtype == DType::kFloat32) {
    replace_infinities<float>(tensor);
  }
  if (for_json && dtype == DType::kFloat64) {
    replace_infinities<double>(tensor);
  }
  return tensor;
}

/// A request whose inputs are the answer's outputs.
std::vector<std::byte> as_request(const InferAnswerBytes& answer, std::uint64_t& header) {
  std::string body = answer.json;
  body.replace(body.find("\"outputs\""), 9, "\"inputs\"");
  header = body.size();
  for (const auto part : answer.tail) {
    body.append(reinterpret_cast<const char*>(part.data()), part.size());
  }
  std::vector<std::byte> bytes(body.size());
  std::memcpy(bytes.data(), body.data(), body.size());
  return bytes;
}

void expect_same(const Tensor& got, const Tensor& expected) {
  ASSERT_EQ(got.dtype(), expected.dtype());
  ASSERT_EQ(got.shape(), expected.shape());
  if (got.dtype() == DType::kString) {
    EXPECT_TRUE(std::ranges::equal(got.strings(), expected.strings()));
  } else {
    EXPECT_TRUE(std::ranges::equal(got.bytes(), expected.bytes())) << dtype_name(got.dtype());
  }
}

void go_round(bool binary, std::span<const DType> types, Random& random) {
  InferRequest request;
  request.binary_outputs = binary;
  InferAnswer answer{"m", "1", "id", {}};
  std::vector<Tensor> expected;
  for (const DType dtype : types) {
    expected.push_back(random_tensor(dtype, !binary, random));
    answer.outputs.push_back({format("t{}", expected.size()), expected.back().clone()});
  }
  const InferAnswerBytes bytes = write_infer_answer(request, std::move(answer));
  EXPECT_EQ(bytes.binary, binary);
  std::uint64_t header = 0;
  auto body = as_request(bytes, header);
  const InferRequest parsed =
      parse_infer_request(body, binary ? std::optional(header) : std::nullopt, {});
  EXPECT_EQ(parsed.id, "id");
  ASSERT_EQ(parsed.inputs.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_same(parsed.inputs[i].tensor, expected[i]);
  }
}

TEST(OipRoundTrip, EveryTypeAsRawBytes) {
  Random random(1, 0);
  for (int repeat = 0; repeat < 300; ++repeat) {
    go_round(true, kTypes, random);
  }
}

TEST(OipRoundTrip, EveryTypeAsJson) {
  std::vector<DType> types;
  for (const DType dtype : kTypes) {
    if (dtype != DType::kFloat16 && dtype != DType::kBfloat16) {
      types.push_back(dtype);
    }
  }
  Random random(2, 0);
  for (int repeat = 0; repeat < 300; ++repeat) {
    go_round(false, types, random);
  }
}

TEST(OipRoundTrip, SomeRawAndSomeNot) {
  InferRequest request;
  request.binary_outputs = true;
  request.outputs = {{"a", false, 0}, {"b", std::nullopt, 0}, {"c", false, 0}, {"d", true, 0}};
  InferAnswer answer{"m", "1", "", {}};
  const std::vector<std::int32_t> numbers{1, -2};
  for (const char* name : {"a", "b", "c", "d"}) {
    answer.outputs.push_back({name, Tensor::of<std::int32_t>({2}, numbers)});
  }
  const InferAnswerBytes bytes = write_infer_answer(request, std::move(answer));
  EXPECT_EQ(bytes.tail.size(), 2U);
  std::uint64_t header = 0;
  auto body = as_request(bytes, header);
  for (const NamedTensor& input : parse_infer_request(body, header, {}).inputs) {
    EXPECT_TRUE(std::ranges::equal(input.tensor.values<std::int32_t>(), numbers)) << input.name;
  }
}

}  // namespace
}  // namespace onnxop
