#include "onnxop/wire/oip_request.h"

#include <span>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A body as a connection holds it: aligned memory of its own.
class Body {
 public:
  explicit Body(std::string_view json, std::string_view raw = {}) : header_(json.size()) {
    for (const std::string_view part : {json, raw}) {
      const auto bytes = std::as_bytes(std::span(part));
      bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
  }
  std::span<std::byte> bytes() { return bytes_; }
  std::uint64_t header() const { return header_; }

 private:
  std::vector<std::byte> bytes_;
  std::uint64_t header_;
};

std::string input(std::string_view datatype, std::string_view shape, std::string_view data) {
  return format(R"({{"inputs":[{{"name":"x","datatype":"{}","shape":{},"data":{}}}]}})", datatype,
                shape, data);
}

InferRequest parse(std::string_view json, const InferLimits& limits = {}) {
  static std::vector<std::unique_ptr<Body>> kept;  // tensors look into it
  kept.push_back(std::make_unique<Body>(json));
  return parse_infer_request(kept.back()->bytes(), std::nullopt, limits);
}

InferRequest parse_binary(std::string_view json, std::string_view raw) {
  static std::vector<std::unique_ptr<Body>> kept;
  kept.push_back(std::make_unique<Body>(json, raw));
  return parse_infer_request(kept.back()->bytes(), kept.back()->header(), {});
}

template <typename Function>
std::string error_of(const Function& function) {
  try {
    function();
  } catch (const Error& e) {
    return format("{}: {}", error_code_name(e.code()), e.what());
  }
  return "no error";
}

std::string json_error(std::string_view json, const InferLimits& limits = {}) {
  return error_of([&] { parse(json, limits); });
}

TEST(OipRequest, ReadsWhatTheProtocolSays) {
  const InferRequest request = parse(R"({"id":"a","parameters":{"binary_data_output":true,
      "timeout":1500,"unknown":[1,{"x":2}]},"more":null,
      "inputs":[{"name":"x","shape":[2,3],"datatype":"FP32","parameters":{"other":1},
                 "data":[[1,2.5,-3],[4e1,5,6]]},
                {"name":"y","shape":[2],"datatype":"INT64","data":[-9223372036854775808,
                 9223372036854775807]}],
      "outputs":[{"name":"p","parameters":{"classification":3}},
                 {"name":"q","parameters":{"binary_data":false}}]})");
  EXPECT_EQ(request.id, "a");
  EXPECT_TRUE(request.binary_outputs);
  EXPECT_EQ(request.timeout, std::chrono::microseconds(1500));
  ASSERT_EQ(request.inputs.size(), 2U);
  EXPECT_EQ(request.inputs[0].name, "x");
  EXPECT_THAT(request.inputs[0].tensor.shape(), ElementsAre(2, 3));
  EXPECT_THAT(request.inputs[0].tensor.values<float>(), ElementsAre(1, 2.5, -3, 40, 5, 6));
  EXPECT_THAT(request.inputs[1].tensor.values<std::int64_t>(), ElementsAre(INT64_MIN, INT64_MAX));
  ASSERT_EQ(request.outputs.size(), 2U);
  EXPECT_EQ(request.outputs[0].classification, 3);
  EXPECT_FALSE(request.outputs[0].binary);
  EXPECT_EQ(request.outputs[1].binary, false);
}

TEST(OipRequest, NestedAndFlatAreTheSame) {
  for (const char* data :
       {"[1,2,3,4]", "[[1,2],[3,4]]", "[[[1],[2]],[[3],[4]]]", "[[1,2],3,[4]]"}) {
    EXPECT_THAT(parse(input("UINT8", "[2,2]", data)).inputs[0].tensor.values<std::uint8_t>(),
                ElementsAre(1, 2, 3, 4))
        << data;
  }
  EXPECT_THAT(parse(input("FP64", "[]", "[0.1]")).inputs[0].tensor.values<double>(),
              ElementsAre(0.1));
  EXPECT_EQ(parse(input("FP32", "[0,5]", "[]")).inputs[0].tensor.size(), 0);
}

TEST(OipRequest, EveryTypeInItsRange) {
  const auto good = [](const char* type, const char* data) {
    EXPECT_EQ(json_error(input(type, "[2]", data)), "no error") << type << data;
  };
  const auto bad = [](const char* type, const char* data) {
    EXPECT_THAT(json_error(input(type, "[1]", data)), HasSubstr("element 0")) << type << data;
  };
  good("BOOL", "[true,false]");
  good("BOOL", "[0,1]");
  good("UINT8", "[0,255]");
  good("INT8", "[-128,127]");
  good("UINT16", "[0,65535]");
  good("INT16", "[-32768,32767]");
  good("UINT32", "[0,4294967295]");
  good("INT32", "[-2147483648,2147483647]");
  good("UINT64", "[0,18446744073709551615]");
  good("FP32", "[3.4e38,-1]");
  good("FP64", "[1e308,7]");
  good("BYTES", R"(["a","\u00e9"])");
  for (const auto& [type, data] : std::vector<std::pair<const char*, const char*>>{
           {"BOOL", "[2]"},           {"BOOL", "[1.0]"},
           {"BOOL", "[\"true\"]"},    {"UINT8", "[256]"},
           {"UINT8", "[-1]"},         {"INT8", "[128]"},
           {"INT8", "[1.5]"},         {"UINT16", "[65536]"},
           {"INT16", "[32768]"},      {"UINT32", "[4294967296]"},
           {"INT32", "[2147483648]"}, {"INT64", "[9223372036854775808]"},
           {"UINT64", "[-1]"},        {"INT64", "[1e3]"},
           {"FP32", "[1e39]"},        {"FP32", "[\"1\"]"},
           {"FP32", "[null]"},        {"FP32", "[{}]"},
           {"FP64", "[true]"},        {"BYTES", "[1]"},
           {"BYTES", "[null]"}}) {
    bad(type, data);
  }
}

TEST(OipRequest, BinaryTensorsAreLookedAtInPlace) {
  const std::vector<float> floats{1, 2, 3};
  const std::string raw(reinterpret_cast<const char*>(floats.data()), 12);
  std::string json =
      R"({"inputs":[{"name":"x","shape":[3],"datatype":"FP32","parameters":{"binary_data_size":12}},)"
      R"({"name":"s","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":11}}]})";
  json += std::string((16 - json.size() % 16) % 16, ' ');
  const std::string texts("\3\0\0\0a\0b\0\0\0\0", 11);
  Body body(json, raw + texts);
  const InferRequest request = parse_infer_request(body.bytes(), body.header(), {});
  EXPECT_THAT(request.inputs[0].tensor.values<float>(), ElementsAre(1, 2, 3));
  EXPECT_EQ(request.inputs[0].tensor.bytes().data(), body.bytes().data() + json.size());
  EXPECT_THAT(request.inputs[1].tensor.strings(), ElementsAre(std::string("a\0b", 3), ""));
  // Where it lies askew it is copied.
  Body askew(json + " ", raw + texts);
  const InferRequest copied = parse_infer_request(askew.bytes(), askew.header(), {});
  EXPECT_THAT(copied.inputs[0].tensor.values<float>(), ElementsAre(1, 2, 3));
}

TEST(OipRequest, BinarySizesMustFit) {
  const auto with = [](std::string_view datatype, std::string_view shape, std::string_view size,
                       std::string_view raw) {
    return error_of([&] {
      parse_binary(format(R"({{"inputs":[{{"name":"x","shape":{},"datatype":"{}","parameters":)"
                          R"({{"binary_data_size":{}}}}}]}})",
                          shape, datatype, size),
                   raw);
    });
  };
  EXPECT_EQ(with("INT8", "[4]", "4", "abcd"), "no error");
  EXPECT_THAT(with("INT8", "[4]", "3", "abcd"), HasSubstr("input 'x': got 3 bytes, expected 4"));
  EXPECT_THAT(with("INT8", "[4]", "5", "abcd"), HasSubstr("4 bytes of binary data are left"));
  EXPECT_THAT(with("INT8", "[4]", "-1", "abcd"), HasSubstr("binary_data_size is -1"));
  EXPECT_THAT(with("INT8", "[3]", "3", "abcd"), HasSubstr("1 bytes are left"));
  EXPECT_THAT(with("FP32", "[1]", "3", "abc"), HasSubstr("got 3 bytes"));
  EXPECT_THAT(with("BOOL", "[1]", "1", "\2"), HasSubstr("neither 0 nor 1"));
  EXPECT_THAT(with("BYTES", "[1]", "4", std::string_view("\1\0\0\0", 4)), HasSubstr("end within"));
  EXPECT_THAT(with("BYTES", "[1]", "4", "\xff\xff\xff\xff"), HasSubstr("end within"));
  EXPECT_THAT(with("BYTES", "[1]", "5", std::string_view("\0\0\0\0x", 5)), HasSubstr("are left"));
  EXPECT_THAT(with("BYTES", "[1152921504606846976]", "0", ""), HasSubstr("too_large"));
  EXPECT_EQ(with("FP16", "[2]", "4", "abcd"), "no error");
  EXPECT_EQ(with("BF16", "[2]", "4", "abcd"), "no error");
}

TEST(OipRequest, WhatIsWrongIsSaid) {
  EXPECT_THAT(json_error(""), HasSubstr("0 bytes"));
  EXPECT_THAT(json_error("{"), HasSubstr("no JSON"));
  EXPECT_THAT(json_error("[]"), HasSubstr("the request: got an array, expected an object"));
  EXPECT_THAT(json_error("{}"), HasSubstr("no inputs"));
  EXPECT_THAT(json_error(R"({"inputs":{}})"), HasSubstr("inputs: got an object"));
  EXPECT_THAT(json_error(R"({"inputs":[1]})"), HasSubstr("inputs[0]: got a number"));
  EXPECT_THAT(json_error(R"({"inputs":[{}]})"), HasSubstr("inputs[0] has no name"));
  EXPECT_THAT(json_error(R"({"inputs":[{"name":"x"}]})"), HasSubstr("no datatype"));
  EXPECT_THAT(json_error(R"({"inputs":[{"name":"x","datatype":"FP32"}]})"), HasSubstr("no shape"));
  EXPECT_THAT(json_error(R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]})"),
              HasSubstr("no data"));
  EXPECT_THAT(json_error(input("FLOAT", "[1]", "[1]")), HasSubstr("'FLOAT' is not known"));
  EXPECT_THAT(json_error(input("FP16", "[1]", "[1]")), HasSubstr("only as binary data"));
  EXPECT_THAT(json_error(input("BF16", "[1]", "[1]")), HasSubstr("only as binary data"));
  EXPECT_THAT(json_error(input("FP32", "[-1]", "[1]")), HasSubstr("negative"));
  EXPECT_THAT(json_error(input("FP32", "[1.5]", "[1]")), HasSubstr("whole number"));
  EXPECT_THAT(json_error(input("FP32", "[2]", "[1]")),
              HasSubstr("only 1 elements, expected the 2"));
  EXPECT_THAT(json_error(input("FP32", "[2]", "[1,2,3]")), HasSubstr("more than 2 elements"));
  EXPECT_THAT(json_error(input("FP32", "[2]", "1")), HasSubstr("data: got a number"));
  EXPECT_THAT(json_error(input("FP32", "[1]", "[NaN]")), HasSubstr("no JSON"));
  EXPECT_THAT(json_error(input("FP32", "[4611686018427387904,4]", "[1]")), HasSubstr("too_large"));
  EXPECT_THAT(json_error(input("FP32", "[100000]", "[1]")),
              HasSubstr("more than the JSON of 71 bytes"));
  EXPECT_THAT(json_error(R"({"id":1,"inputs":[]})"), HasSubstr("id: got a number"));
  EXPECT_THAT(json_error(R"({"inputs":[],"parameters":{"timeout":-1}})"), HasSubstr("timeout"));
  EXPECT_THAT(json_error(R"({"inputs":[],"outputs":[{"name":"a"},{"name":"a"}]})"),
              HasSubstr("asked for twice"));
  const std::string one = R"({"name":"x","datatype":"FP32","shape":[1],"data":[1]})";
  EXPECT_THAT(json_error(format(R"({{"inputs":[{},{}]}})", one, one)), HasSubstr("given twice"));
}

TEST(OipRequest, LimitsHold) {
  InferLimits limits;
  limits.max_json_depth = 10;
  const auto nested = [](int depth) {
    return input("FP32", "[1]",
                 std::string(static_cast<std::size_t>(depth), '[') + "1" +
                     std::string(static_cast<std::size_t>(depth), ']'));
  };
  // Three are around the data: the request, its inputs, the input.
  EXPECT_EQ(json_error(nested(7), limits), "no error");
  EXPECT_THAT(json_error(nested(8), limits), HasSubstr("more than 10 deep"));
  EXPECT_THAT(json_error(nested(100000)), HasSubstr("deep"));
  limits.max_elements = 3;
  EXPECT_EQ(json_error(input("FP32", "[3]", "[1,2,3]"), limits), "no error");
  EXPECT_THAT(json_error(input("FP32", "[4]", "[1,2,3,4]"), limits), HasSubstr("too_large"));
  limits.max_tensors = 1;
  EXPECT_THAT(json_error(R"({"inputs":[{},{}]})", limits), HasSubstr("too_large"));
  EXPECT_THAT(json_error(R"({"inputs":[],"outputs":[{},{}]})", limits), HasSubstr("too_large"));
}

TEST(OipRequest, ElementsAreCountedOverAllInputs) {
  const std::string json = R"({"inputs":[{"name":"x","datatype":"INT8","shape":[2],"data":[1,2]},)"
                           R"({"name":"y","datatype":"INT8","shape":[2],"data":[1,2]}]})";
  InferLimits limits;
  limits.max_elements = 4;
  EXPECT_EQ(json_error(json, limits), "no error");
  limits.max_elements = 3;
  EXPECT_THAT(json_error(json, limits), HasSubstr("too_large: input 'y'"));
}

TEST(OipRequest, ShapesHaveFewDimensions) {
  const auto ones = [](int dimensions) {
    std::string shape = "[1";
    for (int i = 1; i < dimensions; ++i) {
      shape += ",1";
    }
    return input("INT8", shape + "]", "[5]");
  };
  EXPECT_EQ(json_error(ones(64)), "no error");
  EXPECT_THAT(json_error(ones(65)), HasSubstr("got 65 dimensions, expected at most 64"));
}

TEST(OipRequest, FloatingPointTakesAnyNumber) {
  const auto values = [](std::string_view data) {
    const InferRequest request = parse(input("FP64", "[1]", data));
    return request.inputs[0].tensor.values<double>()[0];
  };
  EXPECT_EQ(values("[100000000000000000000]"), 1e20);
  EXPECT_EQ(values("[-9223372036854775809]"), -9223372036854775809.0);
  EXPECT_EQ(values("[18446744073709551616]"), 18446744073709551616.0);
  EXPECT_EQ(values("[1e-400]"), 0);
  EXPECT_EQ(values("[123456789012345678901234567890.5]"), 123456789012345678901234567890.5);
  EXPECT_EQ(values(format("[1{}]", std::string(300, '0'))), 1e300);
  EXPECT_THAT(json_error(input("FP64", "[1]", "[1e400]")), HasSubstr("beyond the largest"));
  EXPECT_THAT(json_error(input("FP64", "[1]", format("[1{}]", std::string(400, '0')))),
              HasSubstr("beyond the largest"));
  EXPECT_THAT(json_error(input("UINT64", "[1]", "[100000000000000000000]")),
              HasSubstr("element 0 is 1e+20, expected UINT64 (0 to 18446744073709551615)"));
  // What looks like such a number within a text stays as it is.
  const std::string texts = R"({"id":"\"100000000000000000000","inputs":[{"name":"x","shape":[2],)"
                            R"("datatype":"FP32","data":[1,200000000000000000000]}]})";
  EXPECT_EQ(parse(texts).id, "\"100000000000000000000");
  EXPECT_EQ(parse(texts).inputs[0].tensor.values<float>()[1], 2e20F);
  EXPECT_THAT(json_error("[100000000000000000000"), HasSubstr("no JSON"));
  EXPECT_THAT(json_error("\"100000000000000000000\\"), HasSubstr("no JSON"));
  EXPECT_THAT(json_error(input("FP32", "[1]", "[0100000000000000000000]")), HasSubstr("no JSON"));
}

TEST(OipRequest, MessagesTellTheElement) {
  EXPECT_THAT(json_error(input("INT8", "[3]", "[1,2,300]")),
              HasSubstr("input 'x': element 2 is 300, expected INT8 (-128 to 127)"));
  EXPECT_THAT(json_error(input("INT64", "[1]", "[1.5]")), HasSubstr("element 0 is 1.5"));
  EXPECT_THAT(json_error(input("UINT8", "[1]", "[true]")), HasSubstr("element 0 is true"));
  EXPECT_THAT(json_error(input("FP32", "[1]", "[\"1\"]")),
              HasSubstr("element 0 is a text, expected FP32"));
  const std::string long_name(5000, 'n');
  EXPECT_LT(json_error(input(long_name, "[1]", "[1]")).size(), 500U);
}

TEST(OipRequest, NullIsNotThere) {
  const InferRequest request = parse(
      R"({"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"x","datatype":"INT8",)"
      R"("shape":[1],"parameters":{"binary_data_size":null},"data":[1]}]})");
  EXPECT_EQ(request.id, "");
  EXPECT_TRUE(request.outputs.empty());
  EXPECT_THAT(json_error(R"({"inputs":null})"), HasSubstr("no inputs"));
  EXPECT_THAT(json_error(input("INT8", "[1]", "null")), HasSubstr("no data"));
}

TEST(OipRequest, SharedMemoryIsRefused) {
  EXPECT_THAT(json_error(R"({"inputs":[{"name":"x","datatype":"INT8","shape":[1],"parameters":)"
                         R"({"shared_memory_region":"r","shared_memory_byte_size":1}}]})"),
              HasSubstr("unsupported: input 'x': shared memory"));
  EXPECT_THAT(json_error(R"({"inputs":[],"outputs":[{"name":"y","parameters":)"
                         R"({"shared_memory_region":"r","shared_memory_byte_size":1}}]})"),
              HasSubstr("unsupported: output 'y': shared memory"));
}

TEST(OipRequest, HeaderLength) {
  EXPECT_EQ(parse_header_length("12", 12), 12U);
  EXPECT_EQ(parse_header_length("0", 12), 0U);
  for (const char* text : {"", "-1", "13", "x", "1x", " 1", "99999999999999999999"}) {
    EXPECT_THROW(parse_header_length(text, 12), Error) << text;
  }
}

TEST(OipRequest, RawRequests) {
  std::vector<std::byte> bytes(24);
  const auto parse_raw = [&](const std::vector<TensorInfo>& inputs) {
    return parse_raw_request(bytes, inputs);
  };
  const InferRequest fixed = parse_raw({{"x", DType::kFloat32, {-1, 2, 3}}});
  EXPECT_THAT(fixed.inputs[0].tensor.shape(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(fixed.binary_outputs);
  EXPECT_THAT(parse_raw({{"x", DType::kFloat32, {-1, -1, 3}}}).inputs[0].tensor.shape(),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(parse_raw({{"x", DType::kString, {-1}}}).inputs[0].tensor.strings()[0].size(), 24U);
  EXPECT_THROW(parse_raw({{"x", DType::kFloat32, {-1, 5}}}), Error);
  EXPECT_THROW(parse_raw({{"x", DType::kFloat32, {-1, -1, -1}}}), Error);
  EXPECT_THROW(parse_raw({{"x", DType::kFloat32, {6}}, {"y", DType::kFloat32, {6}}}), Error);
  EXPECT_THROW(parse_raw({{"x", DType::kFloat32, {-1, -1, 5}}}), Error);
  EXPECT_THROW(parse_raw({{"x", DType::kString, {2}}}), Error);
  EXPECT_THROW(parse_raw({{"x", DType::kFloat32, {-1, -1, 0}}}), Error);
  EXPECT_THAT(error_of([&] {
                parse_raw({{"x", DType::kUndefined, {-1, 3}}});
              }),
              HasSubstr("no name for"));
  EXPECT_THAT(error_of([&] {
                parse_raw({{"x", DType::kComplex64, {-1}}});
              }),
              HasSubstr("no name for"));
  EXPECT_THROW(parse_raw({}), Error);
}

}  // namespace
}  // namespace onnxop
