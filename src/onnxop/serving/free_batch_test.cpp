// Models whose files have a fixed number of rows, loaded with ONNX Runtime: their requests are
// joined where that is proven, and the answers are those of the file's own model.

#include <onnx/onnx_pb.h>

#include "onnxop/base/sha256.h"
#include "onnxop/onnx/test_batch_check.h"
#include "onnxop/serving/served_model.h"

namespace onnxop::testing_batch {
namespace {

using testing::HasSubstr;
using testing_models::TemporaryFolder;

LoadScorer engine() {
  return [](const auto& path, std::span<const std::byte> rewritten) -> std::shared_ptr<Scorer> {
    return rewritten.empty() ? load_ort_scorer(path) : load_ort_scorer(rewritten, path);
  };
}

Model convolutional(std::int64_t rows) {
  Builder b(rows);
  auto x = b.node("Transpose", {b.input({kRows, 8, 8, 1})}, {{"perm", Ints{0, 3, 1, 2}}});
  x = b.node("Conv", {x, b.weights({4, 1, 3, 3}), b.weights({4})});
  x = b.node("MaxPool", {b.node("Relu", {x})},
             {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  x = b.node("Reshape", {x, b.ints({rows, 36})});
  x = b.node("Gemm", {x, b.weights({36, 10}), b.weights({1, 10})});
  b.output(b.node("Softmax", {x}), 2);
  return b.take();
}

Model attention(std::int64_t rows) {
  Builder b(rows);
  const auto x = b.input({kRows, 6, 8});
  const auto heads = [&](const std::string& each) {
    return b.node(
        "Transpose",
        {b.node("Reshape", {b.node("MatMul", {each, b.weights({8, 8})}), b.ints({rows, 6, 2, 4})})},
        {{"perm", Ints{0, 2, 1, 3}}});
  };
  const auto keys = b.node("Transpose", {heads(x)}, {{"perm", Ints{0, 1, 3, 2}}});
  const auto weights =
      b.node("Softmax", {b.node("MatMul", {heads(x), keys})}, {{"axis", std::int64_t{3}}});
  const auto mixed =
      b.node("Transpose", {b.node("MatMul", {weights, heads(x)})}, {{"perm", Ints{0, 2, 1, 3}}});
  b.output(b.node("Reshape", {mixed, b.ints({rows, 6, 8})}), 3);
  return b.take();
}

Model two_inputs(std::int64_t rows) {
  Builder b(rows);
  const auto sum = b.node("Add", {b.input({kRows, 3}), b.input({kRows, 3})});
  b.output(b.node("Relu", {sum}), 2);
  b.output(b.node("ReduceSum", {sum, b.ints({1})}, {{"keepdims", std::int64_t{1}}}), 2);
  return b.take();
}

/// What is loaded takes any number of rows, and gives of each what the file's own model gives.
void expect_joined(const std::filesystem::path& path, std::int64_t rows) {
  const ModelLease model = load_served_model(source_of(path), engine());
  EXPECT_TRUE(model->batchable) << model->not_batchable;
  EXPECT_GT(model->queue->max_rows(), 1);
  EXPECT_EQ(model->sha256, sha256_file(path)) << "of the file as it is";
  for (const TensorInfo& info : model->scorer->inputs()) {
    EXPECT_EQ(info.shape.front(), -1) << info.name;
  }
  const auto own = load_ort_scorer(path);
  ASSERT_EQ(own->inputs().front().shape.front(), rows);
  const auto inputs = random_inputs(*own, rows);
  expect_equal(model->scorer->run(inputs), own->run(inputs), "as the file's model");
  if (rows == 1) {
    const auto many = random_inputs(*own, 5);
    const auto answers = model->scorer->run(many);
    for (std::int64_t row = 0; row < 5; ++row) {
      expect_equal(row_of(answers, row), own->run(row_of(many, row)), "row by row");
    }
  } else {
    expect_rows_apart(*model->scorer);
  }
}

TEST(FreeBatchServing, RequestsAreJoinedAndAnsweredAsByTheFilesModel) {
  const TemporaryFolder folder;
  for (const std::int64_t rows : {1, 4}) {
    expect_joined(folder.write("conv.onnx", serialize_model(convolutional(rows))), rows);
    expect_joined(folder.write("attention.onnx", serialize_model(attention(rows))), rows);
    expect_joined(folder.write("two.onnx", serialize_model(two_inputs(rows))), rows);
  }
}

TEST(FreeBatchServing, ExternalDataIsReadFromTheModelsFolder) {
  const TemporaryFolder folder;
  const Bytes whole = serialize_model(convolutional(1));
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromArray(whole.data(), static_cast<int>(whole.size())));
  for (onnx::TensorProto& tensor : *proto.mutable_graph()->mutable_initializer()) {
    if (tensor.data_type() != onnx::TensorProto::FLOAT) {
      continue;  // the targets of Reshape are read with the model
    }
    folder.write(tensor.name() + ".bin", as_bytes(tensor.raw_data()));
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = tensor.add_external_data();
    entry->set_key("location");
    entry->set_value(tensor.name() + ".bin");
  }
  const auto path = folder.write("external.onnx", as_bytes(proto.SerializeAsString()));
  check_model(path);
  expect_joined(path, 1);
}

TEST(FreeBatchServing, WhatIsNotProvenIsServedAsItIs) {
  Builder b(2);
  b.output(b.node("Softmax", {b.input({kRows, 3})}, {{"axis", std::int64_t{0}}}), 2);
  const TemporaryFolder folder;
  const auto path = folder.write("mixing.onnx", serialize_model(b.take()));
  const ModelLease model = load_served_model(source_of(path), engine());
  EXPECT_FALSE(model->batchable);
  EXPECT_THAT(model->not_batchable, HasSubstr("fixed at 2, and cannot be proven free: node"));
  EXPECT_EQ(model->scorer->inputs().front().shape, (Shape{2, 3}));
  EXPECT_EQ(model->queue->max_rows(), 1);
}

TEST(FreeBatchServing, WithBatchingOffTheFilesModelIsLoaded) {
  const TemporaryFolder folder;
  const auto path = folder.write("conv.onnx", serialize_model(convolutional(1)));
  const ModelLease model = load_served_model(source_of(path), engine(), {.max_batch = 1});
  EXPECT_FALSE(model->batchable);
  EXPECT_EQ(model->scorer->inputs().front().shape.front(), 1);
}

TEST(FreeBatchServing, ConstantsThatScaleTheInputGetItsRankWithBatchingOffToo) {
  Builder b(2);
  b.output(b.node("Mul", {b.input({kRows, 4, 1}), b.number(2)}), 3);
  const TemporaryFolder folder;
  const auto path = folder.write("gray.onnx", serialize_model(b.take()));
  onnx::ModelProto loaded;
  const auto watching = [&](const auto& file, std::span<const std::byte> rewritten) {
    loaded.ParseFromArray(rewritten.data(), static_cast<int>(rewritten.size()));
    return engine()(file, rewritten);
  };
  for (const std::int64_t most : {1, 0}) {
    const ModelLease model = load_served_model(source_of(path), watching, {.max_batch = most});
    ASSERT_EQ(loaded.graph().initializer_size(), 1);
    EXPECT_EQ(loaded.graph().initializer(0).dims_size(), 3);
    EXPECT_EQ(model->batchable, most != 1);
    EXPECT_EQ(model->scorer->inputs().front().shape.front(), most == 1 ? 2 : -1);
  }
}

TEST(FreeBatchServing, AnEngineThatCannotTakeTheCopyGetsTheFile) {
  const TemporaryFolder folder;
  const auto path = folder.write("conv.onnx", serialize_model(convolutional(1)));
  const auto refusing = [](const auto& file,
                           std::span<const std::byte> rewritten) -> std::shared_ptr<Scorer> {
    if (!rewritten.empty()) {
      fail(ErrorCode::kInvalidArgument, "only files");
    }
    return load_ort_scorer(file);
  };
  const ModelLease model = load_served_model(source_of(path), refusing);
  EXPECT_FALSE(model->batchable);
  EXPECT_THAT(model->not_batchable, HasSubstr("only files"));
  EXPECT_EQ(model->scorer->inputs().front().shape.front(), 1);
}

}  // namespace
}  // namespace onnxop::testing_batch
