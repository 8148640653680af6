// Requests of any bytes are read or refused, within their memory: AddressSanitizer sees the rest.

#include <cstring>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/wire/oip_request.h"
#include "onnxop/wire/test_requests.h"

namespace onnxop {
namespace {

using testing_requests::RequestMaker;

/// Reads the request and then all that it looks at. True when it was taken.
bool survive(std::string_view body, std::optional<std::uint64_t> header) {
  std::vector<std::byte> bytes(body.size());  // exactly as large: one byte beyond is an error
  if (!body.empty()) {
    std::memcpy(bytes.data(), body.data(), body.size());
  }
  InferLimits limits;
  limits.max_elements = 1 << 20;
  try {
    const InferRequest request = parse_infer_request(bytes, header, limits);
    std::int64_t elements = 0;
    std::size_t sum = 0;
    for (const NamedTensor& input : request.inputs) {
      elements += input.tensor.size();
      for (const std::byte each : input.tensor.bytes()) {
        sum += static_cast<std::size_t>(each);
      }
      if (input.tensor.dtype() == DType::kString) {
        EXPECT_EQ(static_cast<std::int64_t>(input.tensor.strings().size()), input.tensor.size());
        for (const std::string& text : input.tensor.strings()) {
          sum += text.size();
        }
      }
    }
    EXPECT_LE(elements, limits.max_elements);
    EXPECT_LE(sum, 255 * body.size() * 8);
    return true;
  } catch (const Error& e) {
    EXPECT_TRUE(e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kTooLarge ||
                e.code() == ErrorCode::kUnsupported)
        << e.what();
    EXPECT_LT(std::strlen(e.what()), 2000U);
    return false;
  }
}

constexpr std::string_view kJson =
    R"({"id":"a","inputs":[{"name":"x","shape":[2],"datatype":"FP32","parameters":)"
    R"({"binary_data_size":8}},{"name":"s","shape":[1],"datatype":"BYTES","parameters":)"
    R"({"binary_data_size":5}},{"name":"n","shape":[1,2],"datatype":"INT8","data":[[-1,2]]}],)"
    R"("outputs":[{"name":"p","parameters":{"classification":2}}],"parameters":{"timeout":5}})";
constexpr std::string_view kRaw("\0\0\x80\x3f\0\0\0\x40\1\0\0\0t", 13);

TEST(OipDamage, EveryByteCutOrChanged) {
  const std::string whole = std::string(kJson) + std::string(kRaw);
  ASSERT_TRUE(survive(whole, kJson.size()));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string_view cut = std::string_view(whole).substr(0, length);
    EXPECT_FALSE(survive(cut, kJson.size())) << length;
    EXPECT_FALSE(survive(cut, std::nullopt)) << length;
    EXPECT_EQ(survive(whole, length), length == kJson.size()) << length;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(value);
      survive(damaged, kJson.size());
    }
  }
}

TEST(OipDamage, RandomRequestsWithRandomDamage) {
  Random random(3, 0);
  static constexpr std::string_view kPieces[] = {
      "[",    "]",  "{",  "}",    "\"",      ",",
      ":",    "-1", "1e", "nan",  "\\u",     "9223372036854775807",
      "null", "\\", "0",  "\xff", "[[[[[[[["};
  int taken = 0;
  for (std::uint64_t stream = 0; stream < 5000; ++stream) {
    RequestMaker maker(stream);
    const std::string json = maker.make();
    std::string body = json + maker.raw;
    for (std::uint32_t left = random.below(3); left > 0; --left) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(body.size()));
      const std::size_t length = random.below(4);
      body.replace(at, length, kPieces[random.below(std::size(kPieces))]);
    }
    taken += survive(body, std::min(json.size(), body.size())) ? 1 : 0;
    survive(body, std::nullopt);
  }
  EXPECT_GT(taken, 100);
}

TEST(OipDamage, AnyBytesAsARawRequest) {
  Random random(4, 0);
  for (int repeat = 0; repeat < 2000; ++repeat) {
    std::vector<std::byte> bytes(random.below(40));
    for (std::byte& each : bytes) {
      each = static_cast<std::byte>(random.below(3));
    }
    Shape shape;
    for (std::uint32_t left = random.below(4); left > 0; --left) {
      shape.push_back(static_cast<std::int64_t>(random.below(5)) - 1);
    }
    const auto dtype = static_cast<DType>(random.below(18));
    const TensorInfo input{"x", dtype, shape};
    try {
      const InferRequest request = parse_raw_request(bytes, std::span(&input, 1));
      const Tensor& tensor = request.inputs.at(0).tensor;
      EXPECT_EQ(tensor.bytes().size(), dtype == DType::kString ? 0 : bytes.size());
      EXPECT_EQ(tensor.shape().size(), shape.size());
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kUnsupported);
    }
  }
}

}  // namespace
}  // namespace onnxop
