#include "onnxop/score/ort_scorer.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <stdlib.h>

#include "onnxop/base/test_memory.h"
#include "onnxop/base/test_sanitizers.h"
#include "onnxop/onnx/test_models.h"
#include "onnxop/score/ort_memory.h"

namespace onnxop {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using namespace testing_models;

class OrtScorerTest : public testing::Test {
 protected:
  std::unique_ptr<Scorer> load(const Model& model, const OrtOptions& options = {}) const {
    return load_ort_scorer(folder_.write("model.onnx", serialize_model(model)), options);
  }

  /// One node y = op(x), x and y being [N, 2].
  static Model one_node(GraphNode made, DType dtype = DType::kFloat32) {
    Model model;
    model.graph.name = "one";
    model.graph.nodes.push_back(std::move(made));
    model.graph.inputs.push_back(value("x", {{-1, "N"}, {2, ""}}, dtype));
    model.graph.outputs.push_back(value("y", {{-1, "N"}, {2, ""}}, dtype));
    return model;
  }

  static std::vector<NamedTensor> input(const std::string& name, Tensor tensor) {
    std::vector<NamedTensor> list;
    list.push_back({name, std::move(tensor)});
    return list;
  }

  static Tensor floats(Shape shape, std::vector<float> values) {
    return Tensor::of<float>(std::move(shape), values);
  }

  static Tensor ramp(std::int64_t batch) {
    Tensor image(DType::kFloat32, {batch, 8, 8, 1});
    float next = 0;
    for (float& each : image.values<float>()) {
      each = next;
      next = next >= 250 ? 3 : next + 7;
    }
    return image;
  }

  /// How many of 80 runs, on four threads at once, give what a run alone gives.
  static int same_on_many_threads(Scorer& scorer) {
    const auto expected = scorer.run(input("image", ramp(2)));
    std::atomic<int> same{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          const auto outputs = scorer.run(input("image", ramp(2)));
          same += std::ranges::equal(outputs[0].tensor.values<float>(),
                                     expected[0].tensor.values<float>())
                      ? 1
                      : 0;
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    return same;
  }

  TemporaryFolder folder_;
};

TEST_F(OrtScorerTest, DeclaresWhatTheModelTakesAndGives) {
  const auto scorer = load(conv_model());
  ASSERT_THAT(scorer->inputs(), SizeIs(1));
  EXPECT_EQ(scorer->inputs()[0].name, "image");
  EXPECT_EQ(scorer->inputs()[0].dtype, DType::kFloat32);
  EXPECT_THAT(scorer->inputs()[0].shape, ElementsAre(-1, 8, 8, 1));
  ASSERT_THAT(scorer->outputs(), SizeIs(1));
  EXPECT_EQ(scorer->outputs()[0].name, "probabilities");
  EXPECT_THAT(scorer->outputs()[0].shape, ElementsAre(-1, 10));
}

TEST_F(OrtScorerTest, GivesTheSameForABatchAsOneByOne) {
  const auto scorer = load(conv_model());
  const Tensor images = ramp(3);
  const auto whole = scorer->run(input("image", images.clone()));
  ASSERT_THAT(whole[0].tensor.shape(), ElementsAre(3, 10));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto values = images.values<float>().subspan(i * 64, 64);
    const auto alone = scorer->run(input("image", Tensor::of<float>({1, 8, 8, 1}, values)));
    float sum = 0;
    for (std::size_t c = 0; c < 10; ++c) {
      EXPECT_NEAR(alone[0].tensor.values<float>()[c], whole[0].tensor.values<float>()[i * 10 + c],
                  1e-5);
      sum += alone[0].tensor.values<float>()[c];
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST_F(OrtScorerTest, RunsTheSameWithoutDropout) {
  Model exported = conv_model();
  exported.graph = without_dropout(exported.graph);
  const auto a = load(conv_model())->run(input("image", ramp(2)));
  const auto b = load(exported)->run(input("image", ramp(2)));
  EXPECT_TRUE(std::ranges::equal(a[0].tensor.values<float>(), b[0].tensor.values<float>()));
}

TEST_F(OrtScorerTest, TakesAnEmptyBatch) {
  const auto outputs =
      load(one_node(node("Relu", {"x"}, {"y"})))->run(input("x", Tensor(DType::kFloat32, {0, 2})));
  EXPECT_THAT(outputs[0].tensor.shape(), ElementsAre(0, 2));
}

TEST_F(OrtScorerTest, RefusesWrongInputs) {
  const auto scorer = load(conv_model());
  EXPECT_THAT(error_of([&] { scorer->run({}); }),
              AllOf(HasSubstr("invalid_argument"), HasSubstr("missing")));
  EXPECT_THAT(error_of([&] {
                scorer->run(input("image", floats({1, 2}, {1, 2})));
              }),
              HasSubstr("shape"));
  EXPECT_THAT(error_of([&] {
                scorer->run(input("image", Tensor(DType::kUint8, {1, 8, 8, 1})));
              }),
              HasSubstr("got type uint8"));
}

TEST_F(OrtScorerTest, OutputsOutliveTheScorerAndTheInputs) {
  std::vector<NamedTensor> outputs;
  std::vector<NamedTensor> passed;
  {
    const auto scorer = load(one_node(node("Relu", {"x"}, {"y"})));
    outputs = scorer->run(input("x", floats({1, 2}, {-1, 2})));
    for (int i = 0; i < 10; ++i) {
      scorer->run(input("x", floats({1, 2}, {7, 7})));
    }
    passed =
        load(one_node(node("Identity", {"x"}, {"y"})))->run(input("x", floats({1, 2}, {3, 4})));
  }
  EXPECT_THAT(outputs[0].tensor.values<float>(), ElementsAre(0, 2));
  EXPECT_THAT(passed[0].tensor.values<float>(), ElementsAre(3, 4));
}

TEST_F(OrtScorerTest, AnInputHandedThroughIsCopied) {
  Model model = one_node(node("Relu", {"x"}, {"y"}));
  model.graph.outputs.push_back(value("x", {{-1, "N"}, {2, ""}}));
  const auto scorer = load(model);
  auto inputs = input("x", floats({1, 2}, {3, 4}));
  const auto outputs = scorer->run(inputs);
  inputs[0].tensor.values<float>()[0] = 100;
  ASSERT_THAT(outputs, SizeIs(2));
  EXPECT_EQ(outputs[1].name, "x");
  EXPECT_THAT(outputs[1].tensor.values<float>(), ElementsAre(3, 4));
}

TEST_F(OrtScorerTest, AChangedOutputDoesNotChangeTheModelsConstants) {
  Model model = one_node(node("Relu", {"x"}, {"y"}));
  model.graph.initializers.push_back({"constant", floats({2}, {5, 6}), ""});
  model.graph.nodes.push_back(node("Identity", {"constant"}, {"same"}));
  model.graph.outputs = {value("constant", {{2, ""}}), value("same", {{2, ""}}),
                         value("y", {{-1, "N"}, {2, ""}})};
  const auto scorer = load(model);
  for (int round = 0; round < 2; ++round) {
    auto outputs = scorer->run(input("x", floats({1, 2}, {1, 2})));
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_THAT(outputs[i].tensor.values<float>(), ElementsAre(5, 6))
          << outputs[i].name << " in round " << round;
      outputs[i].tensor.values<float>()[0] = 99;
    }
  }
}

TEST_F(OrtScorerTest, TakesEveryNumberType) {
  for (const DType dtype :
       {DType::kFloat32, DType::kUint8, DType::kInt8, DType::kUint16, DType::kInt16, DType::kInt32,
        DType::kInt64, DType::kBool, DType::kFloat16, DType::kFloat64, DType::kUint32,
        DType::kUint64, DType::kBfloat16}) {
    const auto scorer = load(one_node(node("Identity", {"x"}, {"y"}), dtype));
    Tensor tensor(dtype, {1, 2});
    tensor.bytes()[0] = std::byte{1};
    const auto outputs = scorer->run(input("x", std::move(tensor)));
    EXPECT_EQ(outputs[0].tensor.dtype(), dtype);
    EXPECT_EQ(outputs[0].tensor.bytes()[0], std::byte{1}) << dtype_name(dtype);
  }
}

TEST_F(OrtScorerTest, TakesAndGivesTexts) {
  const auto scorer = load(one_node(node("Identity", {"x"}, {"y"}), DType::kString));
  EXPECT_EQ(scorer->inputs()[0].dtype, DType::kString);
  EXPECT_EQ(scorer->outputs()[0].dtype, DType::kString);
  const std::vector<std::string> texts{"", "plain", std::string("with\0NUL", 8), "\xff\xfe"};
  const auto outputs = scorer->run(input("x", Tensor::of_strings({2, 2}, texts)));
  ASSERT_THAT(outputs, SizeIs(1));
  EXPECT_THAT(outputs[0].tensor.shape(), ElementsAre(2, 2));
  EXPECT_THAT(outputs[0].tensor.strings(), testing::ElementsAreArray(texts));
  EXPECT_THAT(error_of([&] {
                scorer->run(input("x", Tensor(DType::kUint8, {1, 2})));
              }),
              HasSubstr("expected string"));
}

TEST_F(OrtScorerTest, RunsOnManyThreadsAtOnce) {
  EXPECT_EQ(same_on_many_threads(*load(conv_model())), 80);
}

/// Not under ThreadSanitizer (docs/testing.md): ONNX Runtime is built without it, and hands tasks
/// to its threads by atomics.
TEST_F(OrtScorerTest, RunsOnManyThreadsAtOnceWithThreadsOfItsOwn) {
  EXPECT_EQ(same_on_many_threads(*load(conv_model(), {.threads = 2})), 80);
}

TEST_F(OrtScorerTest, NamesTheFileThatItCannotLoad) {
  EXPECT_THAT(error_of([&] { load_ort_scorer(folder_.path() / "none.onnx"); }),
              AllOf(HasSubstr("not_found"), HasSubstr("none.onnx")));
  EXPECT_THAT(error_of([&] { load_ort_scorer(folder_.path()); }),
              AllOf(HasSubstr("invalid_argument"), HasSubstr("a folder")));
  const auto text = folder_.write("text.onnx", as_bytes("no model"));
  EXPECT_THAT(
      error_of([&] { load_ort_scorer(text); }),
      AllOf(HasSubstr("invalid_argument"), HasSubstr("text.onnx"), HasSubstr("ONNX Runtime")));
  const auto empty = folder_.write("empty.onnx", {});
  EXPECT_THAT(error_of([&] { load_ort_scorer(empty); }), HasSubstr("empty.onnx"));
  EXPECT_THAT(error_of([&] { load(conv_model(), {.threads = 0}); }), HasSubstr("threads: got 0"));
}

TEST_F(OrtScorerTest, NamesAnOperatorThatItDoesNotHave) {
  EXPECT_THAT(error_of([&] { load(one_node(node("Rleu", {"x"}, {"y"}))); }),
              AllOf(HasSubstr("invalid_argument"), HasSubstr("model.onnx"), HasSubstr("Rleu")));
}

// --- Models that libonnx cannot judge ---

onnx::ModelProto proto_of(const Model& model) {
  const Bytes bytes = serialize_model(model);
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return proto;
}

TEST_F(OrtScorerTest, RunsOperatorsOfItsOwnDomain) {
  auto proto = proto_of(one_node(node("Gelu", {"x"}, {"y"})));
  proto.mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
  auto* import = proto.add_opset_import();
  import->set_domain("com.microsoft");
  import->set_version(1);
  const auto path = folder_.write("gelu.onnx", as_bytes(proto.SerializeAsString()));
  check_model(path);
  const auto outputs = load_ort_scorer(path)->run(input("x", floats({1, 2}, {0, 10})));
  EXPECT_THAT(outputs[0].tensor.values<float>(), ElementsAre(0, testing::FloatNear(10, 1e-4)));
}

TEST_F(OrtScorerTest, RefusesAnUnknownDomain) {
  auto proto = proto_of(one_node(node("Anything", {"x"}, {"y"})));
  proto.mutable_graph()->mutable_node(0)->set_domain("com.example");
  auto* import = proto.add_opset_import();
  import->set_domain("com.example");
  import->set_version(1);
  const auto path = folder_.write("custom.onnx", as_bytes(proto.SerializeAsString()));
  EXPECT_EQ(describe_model(path).operators[0].origin, OperatorCount::Origin::kCustom);
  EXPECT_THAT(error_of([&] { load_ort_scorer(path); }),
              AllOf(HasSubstr("invalid_argument"), HasSubstr("custom.onnx"),
                    HasSubstr("com.example"), HasSubstr("Anything")));
}

TEST_F(OrtScorerTest, RunsAnOpsetNewerThanTheChecker) {
  Model model;
  model.ir_version = 10;
  model.opset = 21;
  model.graph.name = "norm";
  model.graph.nodes.push_back(
      node("GroupNormalization", {"x", "scale", "bias"}, {"y"}, {{"num_groups", std::int64_t{1}}}));
  model.graph.initializers.push_back({"scale", floats({2}, {1, 1}), ""});
  model.graph.initializers.push_back({"bias", floats({2}, {0, 0}), ""});
  model.graph.inputs.push_back(value("x", {{-1, "N"}, {2, ""}, {2, ""}}));
  model.graph.outputs.push_back(value("y", {{-1, "N"}, {2, ""}, {2, ""}}));
  const auto path = folder_.write("new.onnx", serialize_model(model));
  check_model(path);
  const auto outputs = load_ort_scorer(path)->run(input("x", floats({1, 2, 2}, {-1, -1, 1, 1})));
  EXPECT_THAT(outputs[0].tensor.values<float>(),
              testing::Pointwise(testing::FloatNear(1e-3F), {-1.0F, -1.0F, 1.0F, 1.0F}));
}

TEST_F(OrtScorerTest, ReadsExternalDataBesideTheModel) {
  Model model = one_node(node("Mul", {"x", "factor"}, {"y"}));
  model.graph.initializers.push_back({"factor", floats({2}, {2, 3}), ""});
  auto proto = proto_of(model);
  auto& tensor = *proto.mutable_graph()->mutable_initializer(0);
  folder_.write("weights.bin", as_bytes(tensor.raw_data()));
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = tensor.add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  const auto path = folder_.write("external.onnx", as_bytes(proto.SerializeAsString()));
  check_model(path);
  const auto outputs = load_ort_scorer(path)->run(input("x", floats({1, 2}, {1, 1})));
  EXPECT_THAT(outputs[0].tensor.values<float>(), ElementsAre(2, 3));
  const auto from_bytes = load_ort_scorer(as_bytes(proto.SerializeAsString()), path);
  EXPECT_THAT(from_bytes->run(input("x", floats({1, 2}, {1, 1})))[0].tensor.values<float>(),
              ElementsAre(2, 3));
  EXPECT_THAT(error_of([&] { load_ort_scorer(as_bytes("no model"), path); }),
              HasSubstr("external.onnx: ONNX Runtime cannot load the model"));
  EXPECT_THAT(error_of([&] { load_ort_scorer(std::span<const std::byte>(), path); }),
              HasSubstr("no bytes"));
}

TEST_F(OrtScorerTest, DamagedFilesMakeErrors) {
  Model model = one_node(node("Mul", {"x", "factor"}, {"y"}));
  model.graph.initializers.push_back({"factor", floats({2}, {2, 3}), ""});
  const Bytes whole = serialize_model(model);
  const auto path = folder_.path() / "damaged.onnx";
  const auto try_load = [&](const Bytes& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    error_of([&] { load_ort_scorer(path); });
  };
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= std::byte{0x41};
    try_load(changed);
    changed.resize(at);
    try_load(changed);
  }
}

TEST_F(OrtScorerTest, TelemetryIsOff) {
  load(conv_model());
  EXPECT_STREQ(::getenv("ORT_DISABLE_TELEMETRY"), "1");
  EXPECT_THAT(ort_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+.*"));
}

TEST_F(OrtScorerTest, OutputsAreInTheMemoryOfRunsAndWeightsAreNot) {
  constexpr std::int64_t kPairs = 1 << 18;  // of floats: 2 MB
  constexpr std::size_t kMegabyte = 1U << 20;
  Model model = one_node(node("Add", {"x", "w"}, {"y"}));
  model.graph.initializers.push_back(weights("w", {kPairs, 2}));
  const RunMemory::Sizes before = run_memory().sizes();
  const auto scorer = load(model);
  const RunMemory::Sizes loaded = run_memory().sizes();
  EXPECT_LT(loaded.used + loaded.kept, before.used + before.kept + kMegabyte);
  {
    const auto outputs = scorer->run(input("x", floats({1, 2}, {1, 2})));
    EXPECT_GE(run_memory().sizes().used, before.used + 2 * kMegabyte);
  }
  EXPECT_EQ(run_memory().sizes().used, before.used);
  EXPECT_GE(run_memory().sizes().kept, 2 * kMegabyte);
}

TEST_F(OrtScorerTest, ModelsThatHaveRunHoldNoMemoryForIt) {
  if (kSanitized) {
    GTEST_SKIP() << "a sanitizer keeps freed memory to itself, and has memory of its own";
  }
  constexpr std::int64_t kRows = 1 << 20;
  constexpr std::int64_t kOutput = kRows * 2 * 4;  // bytes
  constexpr int kModels = 16;
  std::vector<std::unique_ptr<Scorer>> models;
  for (int i = 0; i < kModels; ++i) {
    models.push_back(load(one_node(node("Relu", {"x"}, {"y"}))));
  }
  const auto rows = input("x", Tensor(DType::kFloat32, {kRows, 2}));
  models.front()->run(rows);
  const std::int64_t first = resident_memory();
  for (const auto& each : models) {
    each->run(rows);
  }
  EXPECT_LT(resident_memory() - first, kOutput);
}

}  // namespace
}  // namespace onnxop
