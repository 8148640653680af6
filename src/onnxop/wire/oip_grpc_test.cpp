#include "onnxop/wire/oip_grpc.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <open_inference.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_error.h"
#include "onnxop/wire/grpc_protocol.h"

namespace onnxop {
namespace {

using inference::ModelInferRequest;
using testing::ElementsAre;
using testing::HasSubstr;

ModelInferRequest request_of(const std::string& datatype, const std::vector<std::int64_t>& shape) {
  ModelInferRequest message;
  auto& input = *message.add_inputs();
  input.set_name("x");
  input.set_datatype(datatype);
  for (const std::int64_t size : shape) {
    input.add_shape(size);
  }
  return message;
}

/// A message as it comes, and what is read from it.
struct Received {
  explicit Received(const ModelInferRequest& message, const InferLimits& limits = {})
      : bytes(message.ByteSizeLong()) {
    const std::string text = message.SerializeAsString();
    bytes.append(std::as_bytes(std::span(text)));
    const RawContents raw = parse_infer_request(bytes.bytes(), limits, parsed);
    request = read_infer_request(parsed, raw, limits);
  }

  GrpcMessage bytes;
  ModelInferRequest parsed;
  InferRequest request;
};

std::string error_of(const ModelInferRequest& message, const InferLimits& limits = {}) {
  try {
    const Received received(message, limits);
  } catch (const Error& e) {
    return format("{}: {}", error_code_name(e.code()), e.what());
  }
  return "no error";
}

TEST(OipGrpc, RawContentsAreLookedAtInPlace) {
  auto message = request_of("FP32", {2});
  const std::vector<float> values{1.5F, -2};
  message.add_raw_input_contents(values.data(), 8);
  message.set_id("a");
  (*message.mutable_parameters())["timeout"].set_int64_param(250);
  auto& output = *message.add_outputs();
  output.set_name("y");
  (*output.mutable_parameters())["classification"].set_int64_param(3);
  Received received(message);
  const InferRequest& request = received.request;
  EXPECT_EQ(request.id, "a");
  EXPECT_EQ(request.timeout, std::chrono::microseconds(250));
  EXPECT_EQ(request.outputs[0].classification, 3);
  EXPECT_THAT(request.inputs[0].tensor.values<float>(), ElementsAre(1.5F, -2));
  EXPECT_EQ(received.parsed.raw_input_contents_size(), 0);
  const std::byte* const end = received.bytes.bytes().data() + received.bytes.size();
  EXPECT_EQ(request.inputs[0].tensor.bytes().data(), end - 8) << "where they came, at the end";
}

TEST(OipGrpc, FieldsMayComeInAnyOrder) {
  const auto field = [](char tag, const std::string& content) {
    return std::string{tag, static_cast<char>(content.size())} + content;
  };
  ModelInferRequest::InferInputTensor input;
  input.set_datatype("UINT8");
  input.add_shape(2);
  const auto named = [&](const std::string& name) {
    input.set_name(name);
    return field(0x2A, input.SerializeAsString());
  };
  std::string bytes = field(0x3A, "ab") + named("x") + field(0x1A, "first") + field(0x3A, "cd") +
                      field(0x0A, "m") + named("y") + field(0x1A, "last") +
                      std::string{'\x78', 1};  // of a number that means nothing
  ModelInferRequest message;
  const RawContents raw =
      parse_infer_request(std::as_writable_bytes(std::span(bytes)), {}, message);
  EXPECT_EQ(message.model_name(), "m");
  const InferRequest request = read_infer_request(message, raw, {});
  EXPECT_EQ(request.id, "last");
  ASSERT_EQ(request.inputs.size(), 2U);
  EXPECT_THAT(request.inputs[0].tensor.values<std::uint8_t>(), ElementsAre('a', 'b'));
  EXPECT_THAT(request.inputs[1].tensor.values<std::uint8_t>(), ElementsAre('c', 'd'));
}

TEST(OipGrpc, WhatIsNoMessageIsSaid) {
  for (const std::string& text :
       {std::string("\x3A\x05"
                    "abc"),
        std::string("\x3A"), std::string("\x3A\xFF\xFF\xFF\xFF\x0F"), std::string("\x0A\x05m"),
        std::string(1, '\0'), std::string("\x3C"), std::string("\x0B")}) {
    std::string bytes = text;
    ModelInferRequest message;
    EXPECT_EQ(code_of([&] {
                parse_infer_request(std::as_writable_bytes(std::span(bytes)), {}, message);
              }),
              ErrorCode::kInvalidArgument)
        << testing::PrintToString(text);
  }
}

TEST(OipGrpc, TensorsAreCountedBeforeThereIsMemoryForThem) {
  for (const char tag : {'\x2A', '\x32', '\x3A'}) {  // inputs, outputs, raw contents
    std::string bytes;
    for (int i = 0; i < 1'000'000; ++i) {
      bytes += {tag, '\0'};
    }
    ModelInferRequest message;
    EXPECT_EQ(code_of([&] {
                parse_infer_request(std::as_writable_bytes(std::span(bytes)), {}, message);
              }),
              ErrorCode::kTooLarge);
    EXPECT_EQ(message.inputs_size(), 0);
  }
}

TEST(OipGrpc, ListsHoldTheTypesThatTheProtocolSays) {
  auto message = request_of("INT8", {2});
  message.mutable_inputs(0)->mutable_contents()->add_int_contents(-128);
  message.mutable_inputs(0)->mutable_contents()->add_int_contents(127);
  EXPECT_THAT(Received(message).request.inputs[0].tensor.values<std::int8_t>(),
              ElementsAre(-128, 127));
  message.mutable_inputs(0)->mutable_contents()->set_int_contents(1, 128);
  EXPECT_THAT(error_of(message), HasSubstr("element 1 is 128, which is no INT8"));
  message = request_of("UINT16", {1});
  message.mutable_inputs(0)->mutable_contents()->add_uint_contents(65536);
  EXPECT_THAT(error_of(message), HasSubstr("no UINT16"));
  message = request_of("BYTES", {2});
  message.mutable_inputs(0)->mutable_contents()->add_bytes_contents(std::string("a\0b", 3));
  message.mutable_inputs(0)->mutable_contents()->add_bytes_contents("");
  EXPECT_THAT(Received(message).request.inputs[0].tensor.strings(),
              ElementsAre(std::string("a\0b", 3), ""));
  message = request_of("BOOL", {1});
  message.mutable_inputs(0)->mutable_contents()->add_bool_contents(true);
  EXPECT_TRUE(Received(message).request.inputs[0].tensor.values<bool>()[0]);
}

TEST(OipGrpc, WhatIsWrongIsSaid) {
  EXPECT_THAT(error_of(request_of("FLOAT", {1})), HasSubstr("'FLOAT' is not known"));
  EXPECT_THAT(error_of(request_of("FP32", {-1})), HasSubstr("negative"));
  EXPECT_THAT(error_of(request_of("FP32", {1})), HasSubstr("got 0 elements"));
  EXPECT_THAT(error_of(request_of("FP16", {1})), HasSubstr("only be given as raw"));
  EXPECT_THAT(error_of(request_of("FP32", {std::int64_t{1} << 40, 1 << 20})),
              HasSubstr("too_large"));
  auto message = request_of("FP32", {1});
  message.add_raw_input_contents("abc");
  EXPECT_THAT(error_of(message), HasSubstr("got 3 bytes"));
  message.add_raw_input_contents("abcd");
  EXPECT_THAT(error_of(message), HasSubstr("2 raw contents for 1 inputs"));
  message = request_of("FP32", {1});
  message.add_raw_input_contents("abcd");
  message.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  EXPECT_THAT(error_of(message), HasSubstr("beside raw contents"));
  message = request_of("INT8", {1});
  message.add_raw_input_contents("a");
  (*message.mutable_parameters())["timeout"].set_string_param("soon");
  EXPECT_THAT(error_of(message), HasSubstr("timeout"));
  message = request_of("INT8", {1});
  *message.add_inputs() = message.inputs(0);
  message.add_raw_input_contents("a");
  message.add_raw_input_contents("b");
  EXPECT_THAT(error_of(message), HasSubstr("given twice"));
  InferLimits limits;
  limits.max_tensors = 1;
  EXPECT_THAT(error_of(message, limits), HasSubstr("too_large"));
  message.mutable_inputs(1)->set_name("y");
  limits.max_tensors = 2;
  limits.max_elements = 2;
  EXPECT_EQ(error_of(message, limits), "no error");
  limits.max_elements = 1;
  EXPECT_THAT(error_of(message, limits), HasSubstr("too_large")) << "of all inputs together";
}

TEST(OipGrpc, SharedMemoryIsRefused) {
  auto input = request_of("FP32", {2});
  (*input.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("r");
  EXPECT_THAT(error_of(input), HasSubstr("input 'x': shared memory is not offered"));
  auto output = request_of("FP32", {1});
  output.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  auto& asked = *output.add_outputs();
  asked.set_name("y");
  (*asked.mutable_parameters())["shared_memory_region"].set_string_param("r");
  EXPECT_THAT(error_of(output), HasSubstr("output 'y': shared memory is not offered"));
}

TEST(OipGrpc, TypesWithoutANameAreRefused) {
  InferAnswer answer{"m", "1", "", {}};
  answer.outputs.push_back({"y", Tensor(DType::kComplex64, {1})});
  inference::ModelInferResponse message;
  EXPECT_THROW(write_infer_response(answer, message), Error);
}

TEST(OipGrpc, ResponsesAreRaw) {
  InferAnswer answer{"m", "3", "id", {}};
  answer.outputs.push_back({"y", Tensor::of<float>({1, 2}, std::vector<float>{1, 2})});
  answer.outputs.push_back({"s", Tensor::of_strings({1}, {"ab"})});
  inference::ModelInferResponse message;
  write_infer_response(answer, message);
  EXPECT_EQ(message.model_version(), "3");
  EXPECT_EQ(message.outputs(0).datatype(), "FP32");
  ASSERT_EQ(message.raw_output_contents_size(), 2);
  EXPECT_EQ(message.raw_output_contents(0).size(), 8U);
  EXPECT_EQ(message.raw_output_contents(1), std::string("\2\0\0\0ab", 6));
}

}  // namespace
}  // namespace onnxop
