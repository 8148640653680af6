#include "onnxop/wire/oip_answer.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/random.h"
#include "onnxop/wire/classification.h"
#include "onnxop/wire/oip_metadata.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

InferAnswer answer_of(NamedTensor output) {
  InferAnswer answer{"m", "3", "", {}};
  answer.outputs.push_back(std::move(output));
  return answer;
}

TEST(OipAnswer, SaysWhatTheProtocolSays) {
  InferAnswer answer{"m", "3", "i\"d", {}};
  answer.outputs.push_back({"y", Tensor::of<float>({1, 3}, std::vector<float>{0.1F, -2, 1e-20F})});
  answer.outputs.push_back({"s", Tensor::of_strings({1}, {"\"é\""})});
  const InferAnswerBytes bytes = write_infer_answer({}, std::move(answer));
  EXPECT_EQ(bytes.json, R"({"model_name":"m","model_version":"3","id":"i\"d","outputs":[)"
                        R"({"name":"y","datatype":"FP32","shape":[1,3],"data":[0.1,-2,1e-20]},)"
                        R"({"name":"s","datatype":"BYTES","shape":[1],"data":["\"é\""]}]})");
  EXPECT_FALSE(bytes.binary);
  EXPECT_TRUE(bytes.tail.empty());
}

TEST(OipAnswer, BinaryOutputsAreNotCopied) {
  Tensor y = Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{1, 2});
  const std::byte* const memory = y.bytes().data();
  InferAnswer answer = answer_of({"y", std::move(y)});
  answer.outputs.push_back({"s", Tensor::of_strings({2}, {"ab", ""})});
  InferRequest request;
  request.binary_outputs = true;
  const InferAnswerBytes bytes = write_infer_answer(request, std::move(answer));
  EXPECT_TRUE(bytes.binary);
  const Json json = parse_json(bytes.json, "answer");
  EXPECT_EQ(json["outputs"][0]["parameters"]["binary_data_size"], 8);
  EXPECT_FALSE(json["outputs"][0].contains("data"));
  EXPECT_EQ(json["outputs"][1]["parameters"]["binary_data_size"], 10);
  ASSERT_EQ(bytes.tail.size(), 2U);
  EXPECT_EQ(bytes.tail[0].data(), memory);
  EXPECT_EQ(std::memcmp(bytes.tail[1].data(), "\2\0\0\0ab\0\0\0\0", 10), 0);
}

TEST(OipAnswer, TheOutputsWordIsStronger) {
  InferRequest request;
  request.binary_outputs = true;
  request.outputs.push_back({"y", false, 0});
  const auto bytes = write_infer_answer(request, answer_of({"y", Tensor(DType::kUint8, {2})}));
  EXPECT_FALSE(bytes.binary);
  EXPECT_THAT(bytes.json, HasSubstr("\"data\":[0,0]"));
}

TEST(OipAnswer, WhatJsonCannotSay) {
  const auto error_of = [](Tensor tensor) {
    try {
      write_infer_answer({}, answer_of({"y", std::move(tensor)}));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of(Tensor(DType::kFloat16, {1})), HasSubstr("ask for binary_data"));
  EXPECT_THAT(error_of(Tensor(DType::kBfloat16, {1})), HasSubstr("ask for binary_data"));
  EXPECT_THAT(error_of(Tensor::of<float>({2}, std::vector<float>{1, NAN})),
              HasSubstr("nan at element 1"));
  EXPECT_THAT(error_of(Tensor::of<double>({1}, std::vector<double>{INFINITY})), HasSubstr("inf"));
  EXPECT_THAT(error_of(Tensor::of_strings({1}, {"\xff"})), HasSubstr("UTF-8"));
  EXPECT_THAT(error_of(Tensor(DType::kComplex64, {1})), HasSubstr("no name for"));
}

TEST(OipAnswer, NumbersReadBackAsTheSame) {
  Random random(11, 0);
  std::vector<float> floats{std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::min(),
                            std::numeric_limits<float>::denorm_min(),
                            -0.0F,
                            16777217.0F,
                            1e20F};
  while (floats.size() < 2000) {
    const auto bits = random.next_u32();
    const float value = std::bit_cast<float>(bits);
    if (std::isfinite(value)) {
      floats.push_back(value);
    }
  }
  const auto count = static_cast<std::int64_t>(floats.size());
  const auto bytes = write_infer_answer({}, answer_of({"y", Tensor::of<float>({count}, floats)}));
  Json request = parse_json(bytes.json, "answer");
  request["inputs"] = request["outputs"];
  request.erase("outputs");
  std::string text = dump_json(request);
  std::vector<std::byte> body(text.size());
  std::memcpy(body.data(), text.data(), text.size());
  const InferRequest parsed = parse_infer_request(body, std::nullopt, {});
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(parsed.inputs[0].tensor.values<float>()),
                                 std::as_bytes(std::span(floats))));
}

TEST(ChooseOutputs, InTheAskedOrder) {
  std::vector<NamedTensor> outputs;
  outputs.push_back({"a", Tensor(DType::kUint8, {1})});
  outputs.push_back({"b", Tensor::of<float>({2, 3}, std::vector<float>{1, 3, 2, 9, 7, 8})});
  InferRequest request;
  request.outputs.push_back({"b", std::nullopt, 2});
  request.outputs.push_back({"a", std::nullopt, 0});
  const auto chosen = choose_outputs(request, std::move(outputs), {{"b", {"zero", "one", "two"}}});
  ASSERT_EQ(chosen.size(), 2U);
  EXPECT_THAT(chosen[0].tensor.shape(), ElementsAre(2, 2));
  EXPECT_THAT(chosen[0].tensor.strings(), ElementsAre("3:1:one", "2:2:two", "9:0:zero", "8:2:two"));
  EXPECT_EQ(chosen[1].name, "a");
  request.outputs[0].name = "c";
  std::vector<NamedTensor> again;
  again.push_back({"a", Tensor(DType::kUint8, {1})});
  EXPECT_THROW(choose_outputs(request, std::move(again), {}), Error);
}

TEST(Classification, EqualsNanAndTooMany) {
  const Tensor row = Tensor::of<float>({4}, std::vector<float>{1, NAN, 1, 2});
  EXPECT_THAT(classify_rows(row, 9, {}).strings(), ElementsAre("2:3", "1:0", "1:2", "nan:1"));
  const Tensor bytes = Tensor::of<std::uint8_t>({1, 2}, std::vector<std::uint8_t>{65, 66});
  EXPECT_THAT(classify_rows(bytes, 1, {}).strings(), ElementsAre("66:1"));
  EXPECT_EQ(classify_rows(Tensor(DType::kFloat32, {0, 5}), 2, {}).size(), 0);
  EXPECT_EQ(classify_rows(Tensor(DType::kFloat32, {3, 0}), 2, {}).size(), 0);
  EXPECT_THROW(classify_rows(Tensor(DType::kFloat32, {}), 1, {}), Error);
  EXPECT_THROW(classify_rows(Tensor(DType::kBool, {2}), 1, {}), Error);
  EXPECT_THROW(classify_rows(Tensor(DType::kBool, {0}), 1, {}), Error);
}

TEST(Classification, ARowIsAllBehindTheFirstDimension) {
  const std::vector<float> values{1, 3, 2, 9, 7, 8};
  const Tensor images = Tensor::of<float>({2, 3, 1, 1}, values);
  const Tensor best = classify_rows(images, 1, {});
  EXPECT_THAT(best.shape(), ElementsAre(2, 1));
  EXPECT_THAT(best.strings(), ElementsAre("3:1", "9:0"));
  const Tensor nested = classify_rows(Tensor::of<float>({1, 2, 3}, values), 2, {});
  EXPECT_THAT(nested.shape(), ElementsAre(1, 2));
  EXPECT_THAT(nested.strings(), ElementsAre("9:3", "8:5"));
}

template <typename T>
void classify_three(T low, T high) {
  const std::vector<T> values{low, high, T{1}};
  const Tensor best = classify_rows(Tensor::of<T>({1, 3}, values), 1, {});
  EXPECT_THAT(best.strings(), ElementsAre(format("{}:1", +high))) << dtype_name(DTypeOf<T>::value);
}

template <typename... T>
void classify_extremes() {
  (classify_three<T>(std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()), ...);
}

TEST(Classification, OfEveryNumberType) {
  classify_extremes<float, double, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                    std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>();
}

TEST(OipMetadata, ModelsAndConfigurations) {
  const OipModel model{"m",
                       {"1", "2"},
                       {{"x", DType::kFloat32, {-1, 28}}, {"s", DType::kString, {-1}}},
                       {{"y", DType::kInt64, {-1, 10}}}};
  EXPECT_EQ(model_metadata_json(model),
            R"({"name":"m","versions":["1","2"],"platform":"onnxruntime_onnx","inputs":[)"
            R"({"name":"x","datatype":"FP32","shape":[-1,28]},)"
            R"({"name":"s","datatype":"BYTES","shape":[-1]}],"outputs":[)"
            R"({"name":"y","datatype":"INT64","shape":[-1,10]}]})");
  const Json batched = parse_json(model_config_json(model, {8, 2}), "config");
  EXPECT_EQ(batched["max_batch_size"], 8);
  EXPECT_EQ(batched["input"][0]["dims"], Json({28}));
  EXPECT_EQ(batched["input"][1]["data_type"], "TYPE_STRING");
  const Json single = parse_json(model_config_json(model, {0, 2}), "config");
  EXPECT_EQ(single["input"][0]["dims"], Json({-1, 28}));
  EXPECT_FALSE(single.contains("dynamic_batching"));
  EXPECT_EQ(health_json(true, false), R"({"live":true,"ready":false})");
  EXPECT_EQ(model_ready_json("m\"", true), R"({"name":"m\"","ready":true})");
}

TEST(OipMetadata, ServerAndRepository) {
  const Json server = parse_json(server_metadata_json("1.2"), "server");
  EXPECT_EQ(server["name"], "onnxop");
  EXPECT_EQ(server["version"], "1.2");
  EXPECT_EQ(server["extensions"], Json(oip_extensions()));
  const IndexedVersion versions[] = {{"m", 1, "READY", ""}, {"m", 12, "UNAVAILABLE", "broken"}};
  EXPECT_EQ(repository_index_json(versions),
            R"([{"name":"m","version":"1","state":"READY","reason":""},)"
            R"({"name":"m","version":"12","state":"UNAVAILABLE","reason":"broken"}])");
  EXPECT_EQ(repository_index_json({}), "[]");
}

TEST(OipMetadata, StatisticsAreNamedAsTritonsAre) {
  OipStatistics statistics;
  statistics.name = "m";
  statistics.version = "3";
  statistics.inference_count = 7;
  statistics.execution_count = 2;
  statistics.queue = {7, 9000};
  statistics.compute_infer = {2, 500};
  statistics.batches.push_back({4, {}, {1, 300}, {}});
  const Json json =
      parse_json(statistics_json(std::span(&statistics, 1)), "statistics")["model_stats"][0];
  EXPECT_EQ(json["name"], "m");
  EXPECT_EQ(json["version"], "3");
  EXPECT_EQ(json["inference_count"], 7);
  EXPECT_EQ(json["execution_count"], 2);
  EXPECT_EQ(json["inference_stats"]["queue"], Json({{"count", 7}, {"ns", 9000}}));
  EXPECT_EQ(json["inference_stats"]["compute_infer"]["ns"], 500);
  for (const char* name : {"success", "fail", "compute_input", "compute_output"}) {
    EXPECT_EQ(json["inference_stats"][name]["count"], 0) << name;
  }
  EXPECT_EQ(json["batch_stats"][0]["batch_size"], 4);
  EXPECT_EQ(json["batch_stats"][0]["compute_infer"]["ns"], 300);
}

}  // namespace
}  // namespace onnxop
