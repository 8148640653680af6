// Models that were made elsewhere, in a folder: Triton's config.pbtxt, fixed numbers of rows,
// golden samples, and the memory of what is unloaded. Asked with curl.

#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_memory.h"
#include "onnxop/base/test_sanitizers.h"
#include "onnxop/onnx/test_batch_graphs.h"
#include "onnxop/onnx/test_models.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;
using testing_batch::Builder;
using testing_batch::kRows;

class ModelFolder : public testing::Test {
 protected:
  /// A file that is complete since an hour.
  void put(const std::string& name, std::span<const std::byte> content) const {
    const fs::path path = dir_.path() / "models" / name;
    fs::create_directories(path.parent_path());
    const fs::path staged = dir_.path() / "staged";
    write_file_atomically(staged, content);
    fs::last_write_time(staged, fs::file_time_type::clock::now() - std::chrono::hours(1));
    fs::rename(staged, path);
  }
  void put(const std::string& name, const std::string& text) const { put(name, as_bytes(text)); }

  void start() {
    server_ = std::make_unique<BackgroundProgram>(
        std::vector<std::string>{"serve", "--store", dir_ / "no-store", "--models", dir_ / "models",
                                 "--port", "0", "--port-file", dir_ / "port"});
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  Json ask(const std::string& path, const std::string& body = "") const {
    std::vector<std::string> argv{"curl",       "--silent", "--show-error",
                                  "--max-time", "60",       url_ + path};
    if (!body.empty()) {
      write_file_atomically(dir_.path() / "body", as_bytes(body));
      argv.insert(argv.end(), {"--data-binary", "@" + (dir_ / "body")});
    }
    const auto outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out.empty() ? Json() : parse_json(outcome.out, path);
  }
  /// Whoever asks for a model to be loaded waits until its files were looked at.
  void look_again(const std::string& model) const {
    ask("/v2/repository/models/" + model + "/load", "{}");
  }
  Json state(const std::string& model) const {
    for (const Json& each : ask("/v2/repository/index", "{}")) {
      if (each["name"] == model) {
        return each;
      }
    }
    return {};
  }
  Json infer(const std::string& model, const Json& shape, const std::vector<double>& data,
             const Json& parameters = Json::object()) const {
    const Json request{
        {"inputs",
         Json::array({{{"name", "x"}, {"shape", shape}, {"datatype", "FP32"}, {"data", data}}})},
        {"outputs", Json::array({{{"name", "y"}, {"parameters", parameters}}})}};
    return ask("/v2/models/" + model + "/infer", dump_json(request));
  }

  TempDir dir_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

/// x [rows, 2, 3] -> its six numbers times 10, as y [rows, 6], by way of a Reshape that knows the
/// rows where they are fixed.
Bytes ten_times(std::int64_t rows) {
  Model model;
  model.graph.name = "ten_times";
  model.graph.initializers.push_back({"ten", Tensor::of<float>({}, std::vector<float>{10}), ""});
  model.graph.initializers.push_back(testing_models::integers("target", {rows, 6}));
  model.graph.nodes = {testing_models::node("Mul", {"x", "ten"}, {"scaled"}),
                       testing_models::node("Reshape", {"scaled", "target"}, {"y"})};
  const GraphDim batch{rows, rows < 0 ? "N" : ""};
  model.graph.inputs.push_back(testing_models::value("x", {batch, {2, ""}, {3, ""}}));
  model.graph.outputs.push_back(testing_models::value("y", {batch, {6, ""}}));
  return serialize_model(model);
}

TEST_F(ModelFolder, TritonsConfigurationIsObeyed) {
  put("ten/1/net.onnx", ten_times(-1));
  put("ten/labels.txt", "a\nb\nc\nd\ne\nf\n");
  put("ten/config.pbtxt", std::string(R"(
name: "ten" platform: "onnxruntime_onnx" max_batch_size: 2 default_model_filename: "net.onnx"
input [ { name: "x" data_type: TYPE_FP32 dims: [ 6 ] reshape { shape: [ 2, 3 ] } } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 6 ] label_filename: "labels.txt" } ]
version_policy { specific { versions: [ 1 ] } }
dynamic_batching { max_queue_delay_microseconds: 100 }
)"));
  put("plan/1/model.plan", std::string("TensorRT's"));
  put("plan/config.pbtxt", std::string("platform: \"tensorrt_plan\"\n"));
  start();
  EXPECT_EQ(ask("/v2/models/ten")["inputs"][0]["shape"], Json({-1, 6}));
  const Json answer =
      infer("ten", {2, 6}, {1, 2, 3, 4, 5, 6, 9, 0, 0, 0, 0, 0}, {{"classification", 1}});
  EXPECT_EQ(answer["outputs"][0]["data"], Json({"60:5:f", "90:0:a"}));
  const Json config = ask("/v2/models/ten/config");
  EXPECT_EQ(config["max_batch_size"], 2);
  EXPECT_EQ(config["input"][0]["dims"], Json({6}));
  EXPECT_EQ(config["input"][0]["reshape"]["shape"], Json({2, 3}));
  EXPECT_EQ(config["output"][0]["label_filename"], "labels.txt");
  EXPECT_EQ(config["version_policy"]["specific"]["versions"], Json({1}));
  EXPECT_EQ(config["default_model_filename"], "net.onnx");
  EXPECT_EQ(config["dynamic_batching"]["max_queue_delay_microseconds"], 0);
  EXPECT_EQ(state("plan")["state"], "UNAVAILABLE");
  EXPECT_THAT(state("plan")["reason"].get<std::string>(), HasSubstr("got 'tensorrt_plan'"));

  put("ten/config.pbtxt", std::string("default_model_filename: \"net.onnx\"\nmax_batch_size 4\n"));
  look_again("ten");
  EXPECT_EQ(state("ten")["state"], "READY");
  EXPECT_THAT(state("ten")["reason"].get<std::string>(),
              StartsWith("config.pbtxt: line 2, column 16"));
  EXPECT_EQ(ask("/v2/models/ten/config")["max_batch_size"], 2);

  put("ten/config.pbtxt", std::string("default_model_filename: \"net.onnx\"\nmax_batch_size: 4\n"));
  look_again("ten");
  EXPECT_EQ(state("ten")["reason"], "");
  EXPECT_EQ(ask("/v2/models/ten/config")["max_batch_size"], 4);
  EXPECT_EQ(ask("/v2/models/ten")["inputs"][0]["shape"], Json({-1, 2, 3}));

  server_->signal(SIGTERM);
  const auto outcome = server_->wait();
  EXPECT_THAT(
      outcome.err,
      HasSubstr("config.pbtxt:6: dynamic_batching.max_queue_delay_microseconds: not applied"));
}

TEST_F(ModelFolder, AFixedNumberOfRowsIsFreed) {
  put("one/1/model.onnx", ten_times(1));
  put("four/1/model.onnx", ten_times(4));
  start();
  for (const std::string model : {"one", "four"}) {
    EXPECT_EQ(ask("/v2/models/" + model)["inputs"][0]["shape"], Json({-1, 2, 3}));
    EXPECT_EQ(ask("/v2/models/" + model)["outputs"][0]["shape"], Json({-1, 6}));
    EXPECT_GT(ask("/v2/models/" + model + "/config")["max_batch_size"], 1);
    std::vector<double> data(18);
    std::vector<double> expected(18);
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] = static_cast<double>(i);
      expected[i] = 10 * data[i];
    }
    const Json answer = infer(model, {3, 2, 3}, data);
    EXPECT_EQ(answer["outputs"][0]["shape"], Json({3, 6}));
    EXPECT_EQ(answer["outputs"][0]["data"].get<std::vector<double>>(), expected);
  }
}

TEST_F(ModelFolder, ConstantsThatScaleGrayImagesGetTheirRank) {
  testing_batch::Builder builder;
  const auto image = builder.input({testing_batch::kRows, 2, 2, 1});
  const auto scaled = builder.node("Mul", {image, builder.number(0.5F)});
  builder.output(builder.node("Sub", {scaled, builder.floats({1})}), 4);
  Model model = builder.take();
  model.graph.inputs[0].name = model.graph.nodes[0].inputs[0] = "x";
  model.graph.outputs[0].name = model.graph.nodes[1].outputs[0] = "y";
  put("gray/1/model.onnx", serialize_model(model));
  start();
  const Json answer = infer("gray", {1, 2, 2, 1}, {0, 2, 4, 255});
  EXPECT_EQ(answer["outputs"][0]["shape"], Json({1, 2, 2, 1}));
  EXPECT_EQ(answer["outputs"][0]["data"], Json({-1.0, 0.0, 1.0, 126.5}));
  EXPECT_THAT(server_->log(), HasSubstr("model gray:1 is loaded with the rank of its input for 2 "
                                        "constants that scale it"));
}

TEST_F(ModelFolder, AVersionWhoseGoldenSamplesFailDoesNotGoLive) {
  const auto golden = [](double last) {
    return dump_json(
        {{"version", 1},
         {"tolerance", 0.001},
         {"samples",
          Json::array(
              {{{"inputs",
                 {{"x",
                   {{"dtype", "float32"}, {"shape", {1, 2, 3}}, {"data", {1, 2, 3, 4, 5, 6}}}}}},
                {"outputs",
                 {{"y",
                   {{"dtype", "float32"},
                    {"shape", {1, 6}},
                    {"data", {10, 20, 30, 40, 50, last}}}}}}}})}});
  };
  put("ten/1/golden.json", golden(60));
  put("ten/1/model.onnx", ten_times(-1));
  start();
  EXPECT_EQ(state("ten")["state"], "READY");
  put("ten/2/golden.json", golden(61));
  put("ten/2/model.onnx", ten_times(-1));
  look_again("ten");
  EXPECT_EQ(infer("ten", {1, 2, 3}, {1, 2, 3, 4, 5, 6})["model_version"], "1");
  const Json index = ask("/v2/repository/index", "{}");
  ASSERT_EQ(index.size(), 2U);
  EXPECT_EQ(index[1]["state"], "UNAVAILABLE");
  EXPECT_THAT(index[1]["reason"].get<std::string>(), HasSubstr("golden sample 0"));
}

TEST_F(ModelFolder, AnUnloadedModelsMemoryIsGivenBack) {
  if (kSanitized) {
    GTEST_SKIP() << "a sanitizer keeps freed memory to itself, and has memory of its own";
  }
  constexpr std::int64_t kLayers = 200;
  constexpr std::int64_t kWidth = 512;
  constexpr std::int64_t kWeights = kLayers * kWidth * kWidth * 4;  // bytes
  put("small/1/model.onnx", ten_times(-1));
  Builder builder;
  std::string value = builder.input({kRows, kWidth});
  for (int i = 0; i < kLayers; ++i) {
    // Each layer's own: the engine keeps equal ones once.
    Tensor weights(DType::kFloat32, {kWidth, kWidth});
    for (float n = 0; float& each : weights.values<float>()) {
      each = 1.0F / (static_cast<float>(i + 2) + n++);
    }
    value = builder.node("Relu",
                         {builder.node("MatMul", {value, builder.constant(std::move(weights))})});
  }
  builder.output(value, 2);
  start();
  const std::int64_t before = resident_memory(server_->pid());
  put("large/1/model.onnx", serialize_model(builder.take()));
  look_again("large");
  ASSERT_EQ(state("large")["state"], "READY") << state("large")["reason"];
  const std::int64_t loaded = resident_memory(server_->pid());
  EXPECT_GT(loaded - before, kWeights * 9 / 10);
  ask("/v2/repository/models/large/unload", "{}");
  EXPECT_EQ(state("large")["reason"], "unloaded");
  // By a thread of low priority, which may have to wait for others.
  std::int64_t after = resident_memory(server_->pid());
  for (int i = 0; i < 20'000 && after - before > kWeights / 10; ++i) {
    ask("/v2/health/live");
    after = resident_memory(server_->pid());
  }
  EXPECT_LE(after - before, kWeights / 10)
      << "of " << kWeights << " bytes of weights; before " << before << ", loaded " << loaded
      << ", after " << after;
  RecordProperty("loaded_mb", static_cast<int>((loaded - before) >> 20));
  RecordProperty("left_mb", static_cast<int>((after - before) >> 20));
}

}  // namespace
}  // namespace onnxop::testing_support
