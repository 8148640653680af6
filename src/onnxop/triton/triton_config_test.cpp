#include "onnxop/triton/triton_config.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string error_of(std::string_view text) {
  try {
    read_triton_config(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

std::vector<std::string> remarks_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const TritonRemark& remark : read_triton_config(text).remarks) {
    lines.push_back(format("{} {}", remark.line, remark.path));
  }
  return lines;
}

TEST(TritonConfig, ReadsWhatApplies) {
  const TritonConfig config = read_triton_config(R"(# a classifier
name: "digits"
platform: "onnxruntime_onnx"
backend: 'onnxruntime'
max_batch_size: 16
default_model_filename: "net.onnx"
input [
  {
    name: "image"
    data_type: TYPE_FP32
    dims: [ 28, 28, 1 ]
  }
]
output <
  name: "probabilities" data_type: TYPE_FP32
  dims: 10 dims: -1
  reshape: { shape: [ -1, 5, 2 ] };
  label_filename: "labels.txt",
>
version_policy: { latest { num_versions: 2 } }
dynamic_batching {
  default_queue_policy { max_queue_size: 7, default_timeout_microseconds: 0x10 }
}
)");
  EXPECT_EQ(config.problem, "");
  EXPECT_THAT(config.remarks, IsEmpty());
  EXPECT_EQ(config.name, "digits");
  EXPECT_EQ(config.max_batch_size, 16);
  EXPECT_EQ(config.default_model_filename, "net.onnx");
  ASSERT_EQ(config.inputs.size(), 1U);
  EXPECT_EQ(config.inputs[0].name, "image");
  EXPECT_EQ(config.inputs[0].dtype, DType::kFloat32);
  EXPECT_EQ(config.inputs[0].dims, (Shape{28, 28, 1}));
  EXPECT_FALSE(config.inputs[0].reshape);
  EXPECT_EQ(config.inputs[0].line, 7);
  ASSERT_EQ(config.outputs.size(), 1U);
  EXPECT_EQ(config.outputs[0].dims, (Shape{10, -1}));
  EXPECT_EQ(config.outputs[0].reshape, (Shape{-1, 5, 2}));
  EXPECT_EQ(config.outputs[0].label_filename, "labels.txt");
  EXPECT_EQ(config.outputs[0].line, 14);
  ASSERT_TRUE(config.version_policy);
  EXPECT_EQ(config.version_policy->kind, TritonVersionPolicy::Kind::kLatest);
  EXPECT_EQ(config.version_policy->latest, 2);
  EXPECT_TRUE(config.dynamic_batching);
  EXPECT_EQ(config.max_queue_size, 7);
  EXPECT_EQ(config.default_timeout_us, 16);
}

TEST(TritonConfig, AnEmptyTextSaysNothing) {
  const TritonConfig config = read_triton_config("");
  EXPECT_EQ(config.problem, "");
  EXPECT_FALSE(config.max_batch_size);
  EXPECT_FALSE(config.version_policy);
  EXPECT_FALSE(config.dynamic_batching);
  EXPECT_FALSE(config.max_queue_size);
  EXPECT_FALSE(config.default_timeout_us);
}

TEST(TritonConfig, VersionPolicies) {
  const auto policy = [](std::string_view text) {
    return read_triton_config(text).version_policy.value();
  };
  EXPECT_EQ(policy("version_policy { all {} }").kind, TritonVersionPolicy::Kind::kAll);
  const auto specific = policy("version_policy: { specific: { versions: [1, 3] } }");
  EXPECT_EQ(specific.kind, TritonVersionPolicy::Kind::kSpecific);
  EXPECT_THAT(specific.versions, ElementsAre(1, 3));
  EXPECT_EQ(policy("version_policy { latest {} }").latest, 1);
  EXPECT_THAT(read_triton_config("version_policy { specific {} }").problem,
              HasSubstr("line 1: version_policy.specific"));
}

TEST(TritonConfig, EveryElementType) {
  const auto dtype = [](const std::string& name) {
    return read_triton_config("input { name: 'x' data_type: TYPE_" + name + " }").inputs[0].dtype;
  };
  EXPECT_EQ(dtype("BOOL"), DType::kBool);
  EXPECT_EQ(dtype("UINT8"), DType::kUint8);
  EXPECT_EQ(dtype("UINT16"), DType::kUint16);
  EXPECT_EQ(dtype("UINT32"), DType::kUint32);
  EXPECT_EQ(dtype("UINT64"), DType::kUint64);
  EXPECT_EQ(dtype("INT8"), DType::kInt8);
  EXPECT_EQ(dtype("INT16"), DType::kInt16);
  EXPECT_EQ(dtype("INT32"), DType::kInt32);
  EXPECT_EQ(dtype("INT64"), DType::kInt64);
  EXPECT_EQ(dtype("FP16"), DType::kFloat16);
  EXPECT_EQ(dtype("FP32"), DType::kFloat32);
  EXPECT_EQ(dtype("FP64"), DType::kFloat64);
  EXPECT_EQ(dtype("STRING"), DType::kString);
  EXPECT_EQ(dtype("BF16"), DType::kBfloat16);
  EXPECT_EQ(dtype("INVALID"), DType::kUndefined);
}

TEST(TritonConfig, WhatDoesNotApplyIsNamedWithItsLine) {
  const auto remarks = read_triton_config(R"(name: "m"
dynamic_batching {
  preferred_batch_size: [ 4, 8 ]
  max_queue_delay_microseconds: 100
  preserve_ordering: false
}
instance_group [
  { count: 2 kind: KIND_CPU },
  {
    count: 1
    kind: KIND_GPU
    gpus: [ 0, 1 ]
  }
]
parameters { key: "intra_op_thread_count" value: { string_value: "1" } }
parameters {
  key: "other"
}
optimization { execution_accelerators {
  gpu_execution_accelerator : [ { name : "tensorrt"
    parameters { key: "precision_mode" value: "FP16" } } ]
}}
)")
                           .remarks;
  std::vector<std::string> lines;
  for (const TritonRemark& remark : remarks) {
    lines.push_back(format("{} {}", remark.line, remark.path));
    EXPECT_NE(remark.why, "") << remark.path;
  }
  EXPECT_THAT(
      lines,
      ElementsAre("3 dynamic_batching.preferred_batch_size",
                  "4 dynamic_batching.max_queue_delay_microseconds", "8 instance_group.kind",
                  "8 instance_group.count", "10 instance_group.count", "11 instance_group.kind",
                  "12 instance_group.gpus", "15 parameters[\"intra_op_thread_count\"]",
                  "17 parameters[\"other\"]", "19 optimization"));
  EXPECT_THAT(remarks[1].why, HasSubstr("the delay is always 0"));
}

TEST(TritonConfig, AParameterWithoutAKeyHasAPlaceToo) {
  const TritonConfig config = read_triton_config(
      "name: \"m\"\nparameters { key: \"k\" }\nparameters { value: { string_value: \"v\" } }");
  ASSERT_EQ(config.remarks.size(), 2U);
  EXPECT_EQ(config.remarks[0].line, 2);
  EXPECT_EQ(config.remarks[1].line, 3);
}

TEST(TritonConfig, UnknownFieldsAreNamedAndSkipped) {
  EXPECT_THAT(remarks_of(R"(
new_thing: 3
new_list: [ 1, "two", { three: 3 } ]
new_message { a { b: [ { c: 1 }, { d: 2 } ] } }
input [ { name: "x" new_in_list: 1 }, { name: "y"
  other < deep: 1 > } ]
new_repeated [ { x: 1 }, { y: "]" } ]
dynamic_batching { default_queue_policy { new_policy: REJECT } }
max_batch_size: 3
)"),
              ElementsAre("2 new_thing", "3 new_list", "4 new_message", "5 input.new_in_list",
                          "6 input.other", "7 new_repeated",
                          "8 dynamic_batching.default_queue_policy.new_policy"));
  EXPECT_EQ(read_triton_config("new [ { a: 1 } ] max_batch_size: 3").max_batch_size, 3);
}

TEST(TritonConfig, TextsAndCommentsMayHoldAnything) {
  const TritonConfig config = read_triton_config(
      "name # [ of the model\n: \"a [ \\\" # b\" # input [\n"
      "metric_tags [ # tags\n { key: \"k\" value: \"v\" } ]\n"
      "max_batch_size : 2");
  EXPECT_EQ(config.name, "a [ \" # b");
  EXPECT_EQ(config.max_batch_size, 2);
  EXPECT_EQ(config.problem, "");
}

TEST(TritonConfig, SyntaxErrorsHaveLineAndColumn) {
  EXPECT_THAT(error_of("name: \"m\"\nmax_batch_size 8\n"), StartsWith("line 2, column 16: "));
  EXPECT_THAT(error_of("input [\n  { name: \"x\" }\n"), StartsWith("line 3, column 1: "));
  EXPECT_THAT(error_of("input { data_type: TYPE_FP31 }"), HasSubstr("TYPE_FP31"));
  EXPECT_THAT(error_of("max_batch_size: 3000000000"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("max_batch_size: 1\nmax_batch_size: 2"), StartsWith("line 2, column"));
  EXPECT_THAT(error_of("name: \"m"), StartsWith("line 1, column"));
  EXPECT_THAT(error_of("name: 'm\\"), StartsWith("line 1, column"));
  EXPECT_THAT(error_of("}"), StartsWith("line 1, column 1: "));
  EXPECT_THAT(error_of("version_policy { all {} latest {} }"), StartsWith("line 1"));
}

TEST(TritonConfig, MessagesInMessagesHaveALimit) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) {
    deep += "a{";
  }
  EXPECT_NE(error_of(deep), "");
}

TEST(TritonConfig, WhatCannotBeServedIsAProblem) {
  const auto problem = [](std::string_view text) { return read_triton_config(text).problem; };
  EXPECT_EQ(problem("\nplatform: \"tensorrt_plan\""),
            "line 2: platform: got 'tensorrt_plan', expected 'onnxruntime_onnx': only ONNX models "
            "are served");
  EXPECT_THAT(problem("backend: \"python\""), HasSubstr("backend: got 'python'"));
  EXPECT_THAT(problem("ensemble_scheduling { step [ { model_name: 'a' } ] }"),
              HasSubstr("line 1: ensemble_scheduling"));
  EXPECT_THAT(problem("sequence_batching {}"), HasSubstr("no state"));
  EXPECT_THAT(problem("batch_input [ { kind: BATCH_ELEMENT_COUNT } ]"), HasSubstr("batch_input"));
  EXPECT_THAT(problem("max_batch_size: -1"), HasSubstr("got -1"));
  EXPECT_THAT(problem("default_model_filename: '../m.onnx'"), HasSubstr("'../m.onnx'"));
  EXPECT_THAT(problem("default_model_filename: 'a/m.onnx'"), HasSubstr("name of a file"));
  EXPECT_THAT(problem("input { dims: [1] }"), HasSubstr("no name"));
  EXPECT_THAT(problem("input { name: 'x' } input { name: 'x' }"), HasSubstr("'x' is there twice"));
  EXPECT_THAT(problem("input { name: 'x' dims: [-2] }"), HasSubstr("dimension of -2"));
  EXPECT_THAT(problem("input { name: 'x' dims: [4] reshape { shape: [2, 3] } }"),
              HasSubstr("[2, 3] has other elements than [4]"));
  EXPECT_THAT(problem("input { name: 'x' dims: [1] reshape { shape: [ ] } }"), IsEmpty());
  EXPECT_THAT(problem("input { name: 'x' dims: [-1] reshape { shape: [1] } }"),
              HasSubstr("reshape"));
  EXPECT_THAT(problem("output { name: 'x' label_filename: '/etc/passwd' }"),
              HasSubstr("'/etc/passwd'"));
  EXPECT_THAT(problem("output { name: 'x' label_filename: 'a/../../b' }"), HasSubstr("b'"));
}

TEST(TritonConfig, DamagedTextsMakeErrors) {
  const std::string whole = R"(name: "m" max_batch_size: 8 input [ { name: "x" data_type: TYPE_FP32
dims: [ 1, -1 ] reshape { shape: [ -1 ] } } ] dynamic_batching { priority_queue_policy { key: 1 } }
parameters { key: "k" value { string_value: "v" } } model_warmup [ { name: "w" } ] new { a [ 1 ] })";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    error_of(whole.substr(0, at));
    for (const char c : {'{', '}', '[', ']', '"', '#', '\\', ':', '-', '\0'}) {
      std::string changed = whole;
      changed[at] = c;
      error_of(changed);
    }
  }
}

}  // namespace
}  // namespace onnxop
