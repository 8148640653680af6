// What is made of a server's own words: random requests, times; and ranges.

#include "onnxop/load/infer_body.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/load/range.h"
#include "onnxop/load/server_times.h"

namespace onnxop {
namespace {

using testing::ElementsAre;

constexpr std::string_view kMetadata = R"({"name": "m", "versions": ["1"], "inputs": [
  {"name": "image", "datatype": "FP32", "shape": [-1, 2, 3]},
  {"name": "ids", "datatype": "INT64", "shape": [-1, -1]},
  {"name": "text", "datatype": "BYTES", "shape": [-1]}], "outputs": []})";

TEST(RandomInferBody, HasEachTensorAsItsShapeSays) {
  const InferBody body = random_infer_body(kMetadata, {{"ids", {1, 4}}}, 1);
  const Json json =
      parse_json(std::string_view(body.bytes).substr(0, body.header_size), "the header");
  ASSERT_EQ(json["inputs"].size(), 3U);
  EXPECT_EQ(json["inputs"][0]["shape"], Json({1, 2, 3}));
  EXPECT_EQ(json["inputs"][0]["datatype"], "FP32");
  EXPECT_EQ(json["inputs"][0]["parameters"]["binary_data_size"], 24);
  EXPECT_EQ(json["inputs"][1]["shape"], Json({1, 4}));
  EXPECT_EQ(json["inputs"][1]["parameters"]["binary_data_size"], 32);
  EXPECT_EQ(json["parameters"]["binary_data_output"], true);
  std::size_t sum = body.header_size;
  for (const Json& each : json["inputs"]) {
    sum += each["parameters"]["binary_data_size"].get<std::size_t>();
  }
  EXPECT_EQ(sum, body.bytes.size());
  float first = -1;
  std::memcpy(&first, body.bytes.data() + body.header_size, sizeof first);
  EXPECT_GE(first, 0);
  EXPECT_LT(first, 1);
  for (std::size_t i = 0; i < 4; ++i) {
    std::int64_t id = -1;
    std::memcpy(&id, body.bytes.data() + body.header_size + 24 + 8 * i, sizeof id);
    EXPECT_GE(id, 0);
    EXPECT_LT(id, 10);
  }
}

TEST(RandomInferBody, DependsOnTheSeedAlone) {
  const auto made = [](std::uint64_t seed) { return random_infer_body(kMetadata, {}, seed).bytes; };
  EXPECT_EQ(made(1), made(1));
  EXPECT_NE(made(1), made(2));
}

TEST(RandomInferBody, HasEachType) {
  const std::map<std::string, std::size_t> sizes{
      {"BOOL", 1}, {"UINT8", 1}, {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8},
      {"INT8", 1}, {"INT16", 2}, {"INT32", 4},  {"INT64", 8},  {"FP16", 2},
      {"BF16", 2}, {"FP32", 4},  {"FP64", 8}};
  for (const auto& [type, size] : sizes) {
    const InferBody body = random_infer_body(
        format(R"({{"inputs": [{{"name": "x", "datatype": "{}", "shape": [5]}}]}})", type), {}, 1);
    EXPECT_EQ(body.bytes.size() - body.header_size, 5 * size) << type;
  }
}

TEST(RandomInferBody, WhatDoesNotFitIsRefused) {
  const auto error_of = [](std::string_view metadata, const InputShapes& shapes) {
    try {
      random_infer_body(metadata, shapes, 1);
    } catch (const Error& e) {
      return std::string(error_code_name(e.code()));
    }
    return std::string();
  };
  EXPECT_EQ(error_of(kMetadata, {{"nothing", {1}}}), "invalid_argument");
  EXPECT_EQ(error_of(kMetadata, {{"image", {1, 2}}}), "invalid_argument");
  EXPECT_EQ(error_of(kMetadata, {{"image", {1, 2, 4}}}), "invalid_argument");
  EXPECT_EQ(error_of(kMetadata, {{"image", {-1, 2, 3}}}), "invalid_argument");
  EXPECT_EQ(error_of(kMetadata, {{"ids", {1LL << 40, 1LL << 40}}}), "too_large");
  EXPECT_EQ(error_of("no JSON", {}), "invalid_argument");
  EXPECT_EQ(error_of("[]", {}), "invalid_argument");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "x"}]})", {}), "invalid_argument");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "x", "datatype": "FP32", "shape": ["a"]}]})", {}),
            "invalid_argument");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "x", "datatype": "FP8", "shape": [1]}]})", {}),
            "unsupported");
}

std::string stats(std::int64_t count, std::int64_t ns) {
  const auto part = [](std::int64_t c, std::int64_t n) {
    return format(R"({{"count": {}, "ns": {}}})", c, n);
  };
  return format(
      R"({{"name": "m", "inference_stats": {{"success": {}, "fail": {}, "queue": {},
         "compute_input": {}, "compute_infer": {}, "compute_output": {}}}}})",
      part(count, ns), part(7, 7), part(count, ns), part(count, 2 * ns), part(count, 3 * ns),
      part(count, 4 * ns));
}

TEST(ServerTimes, AreSummedOverModels) {
  const auto of = [](const std::string& models) {
    return parse_server_times(R"({"model_stats": [)" + models + "]}");
  };
  const ServerTimes before = of(stats(10, 1'000'000));
  const ServerTimes after = of(stats(14, 9'000'000) + "," + stats(4, 8'000'000));
  const ServerSplit split = split_of(difference(before, after));
  EXPECT_EQ(split.requests, 8);
  EXPECT_DOUBLE_EQ(split.queue_ms, 2);
  EXPECT_DOUBLE_EQ(split.compute_input_ms, 4);
  EXPECT_DOUBLE_EQ(split.compute_infer_ms, 6);
  EXPECT_DOUBLE_EQ(split.compute_output_ms, 8);
  EXPECT_DOUBLE_EQ(split.compute_ms, 18);
  EXPECT_EQ(split_of(difference(after, after)).compute_ms, 0);
  EXPECT_EQ(of("").requests, 0);
}

TEST(ServerTimes, OtherBodiesAreRefused) {
  for (const char* body :
       {"", "[]", "{}", R"({"model_stats": 1})", R"({"model_stats": [1]})",
        R"({"model_stats": [{}]})", R"({"model_stats": [{"inference_stats": {}}]})",
        R"({"model_stats": [{"inference_stats": {"success": {"count": "1"}}}]})"}) {
    EXPECT_THROW(parse_server_times(body), Error) << body;
  }
}

TEST(Range, HasFourForms) {
  EXPECT_THAT(parse_range("8"), ElementsAre(8));
  EXPECT_THAT(parse_range("1,4,2"), ElementsAre(1, 4, 2));
  EXPECT_THAT(parse_range("1:3"), ElementsAre(1, 2, 3));
  EXPECT_THAT(parse_range("10:50:20"), ElementsAre(10, 30, 50));
  EXPECT_THAT(parse_range("1:64:x2"), ElementsAre(1, 2, 4, 8, 16, 32, 64));
  EXPECT_THAT(parse_range("3:20:x3"), ElementsAre(3, 9));
  EXPECT_THAT(parse_range("2147483646:2147483647"), ElementsAre(2147483646, 2147483647));
  EXPECT_EQ(parse_range("1:1000").size(), 1000U);
}

TEST(Range, OthersAreRefused) {
  for (const char* text : {"", "0", "-1", "x", "1,", ",1", "1:", ":1", "3:1", "1:2:0", "1:2:x1",
                           "1:2:x", "1:2:3:4", "1:1001", "1.5", "99999999999"}) {
    EXPECT_THROW(parse_range(text), Error) << text;
  }
}

}  // namespace
}  // namespace onnxop
