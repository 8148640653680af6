// config.pbtxt in folders of models, with a fake in place of the engine.

#include "onnxop/serving/model_config.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/serving/inference.h"
#include "onnxop/serving/model_manager.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ModelConfigTest : public testing::Test {
 protected:
  ModelConfigTest() {
    std::string name = (fs::temp_directory_path() / "onnxop-config.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder");
    }
    folder_ = name;
  }
  ~ModelConfigTest() override { fs::remove_all(folder_); }

  /// The engine is a fake that takes images of 8 by 8; the file's graph keeps rows apart.
  void put(const std::string& file) {
    Model model;
    model.graph.name = "fake";
    model.graph.nodes.push_back({"Identity", "", {"image"}, {"probabilities"}, {}, ""});
    model.graph.inputs.push_back({"image", DType::kFloat32, {{-1, "N"}}, ""});
    model.graph.outputs.push_back({"probabilities", DType::kFloat32, {{-1, "N"}}, ""});
    fs::create_directories((folder_ / file).parent_path());
    write_file_atomically(folder_ / file, serialize_model(model));
  }
  void write(const std::string& file, const std::string& text) {
    fs::create_directories((folder_ / file).parent_path());
    write_file_atomically(folder_ / file, as_bytes(text));
  }

  /// What is logged meanwhile.
  std::string refresh() {
    if (!manager_) {
      std::vector<std::unique_ptr<ModelProvider>> providers;
      providers.push_back(folder_provider(folder_, clock_, {.probe_seconds = 0}, 0));
      manager_ = std::make_unique<ModelManager>(
          std::move(providers), ManagerOptions{{}, 1},
          [](const fs::path&, std::span<const std::byte>) -> std::shared_ptr<Scorer> {
            return fake_classifier(8, 8, 1, 10);
          },
          [](const fs::path&) {}, catalog_);
    }
    testing::internal::CaptureStderr();
    manager_->refresh();
    return testing::internal::GetCapturedStderr();
  }

  ModelLease model(std::string_view reference = "m") {
    return catalog_.snapshot()->find(reference);
  }
  std::string status(std::int64_t version = 1) {
    for (const VersionStatus& each : manager_->index()) {
      if (each.version == version) {
        return format("{} {}", version_state_name(each.state), each.reason);
      }
    }
    return "none";
  }

  SystemClock clock_;
  fs::path folder_;
  Catalog catalog_;
  std::unique_ptr<ModelManager> manager_;
};

TEST_F(ModelConfigTest, IsObeyed) {
  put("m/1/net.onnx");
  put("m/2/net.onnx");
  put("m/3/model.onnx");
  write("m/labels.txt", "zero\none\r\ntwo\n3\n4\n5\n6\n7\n8\n9");
  write("m/config.pbtxt", R"(
name: "m" backend: "onnxruntime" max_batch_size: 4 default_model_filename: "net.onnx"
input { name: "image" data_type: TYPE_FP32 dims: [ 64 ] reshape { shape: [ 8, 8, 1 ] } }
output { name: "probabilities" dims: [ 10 ] label_filename: "labels.txt" }
version_policy { all {} }
dynamic_batching { default_queue_policy { max_queue_size: 3 default_timeout_microseconds: 5 } }
)");
  EXPECT_THAT(refresh(), Not(HasSubstr("not applied")));
  ASSERT_TRUE(model());
  EXPECT_EQ(model()->version, 2) << "version 3 has no net.onnx";
  EXPECT_TRUE(model("m:1")) << "all";
  EXPECT_TRUE(model()->batchable) << model()->not_batchable;
  EXPECT_EQ(model()->queue->max_rows(), 4);
  EXPECT_EQ(model()->queue->options().max_queued, 3);
  EXPECT_EQ(model()->default_timeout_us, 5);
  EXPECT_EQ(model()->scorer->inputs()[0].shape, (Shape{-1, 64}));
  EXPECT_THAT(model()->labels.at("probabilities"),
              ElementsAre("zero", "one", "two", "3", "4", "5", "6", "7", "8", "9"));
}

TEST_F(ModelConfigTest, LabelsAreThoseOfImageAnswersToo) {
  put("m/1/model.onnx");
  write("m/labels.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  write("m/config.pbtxt", "output { name: 'probabilities' label_filename: 'labels.txt' }");
  refresh();
  ASSERT_TRUE(model());
  ASSERT_TRUE(model()->contract);
  EXPECT_EQ(model()->contract->output.labels.size(), 10U);
  write("m/labels.txt", "A\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  refresh();
  EXPECT_THAT(status(), HasSubstr("READY")) << "the version before goes on";
  EXPECT_EQ(model()->labels.at("probabilities").size(), 10U) << "eleven labels do not fit";
  write("m/labels.txt", "A\nB\nc\nd\ne\nf\ng\nh\ni\nj\n");
  refresh();
  EXPECT_EQ(model()->labels.at("probabilities")[1], "B");
  fs::remove(folder_ / "m" / "labels.txt");
  refresh();
  EXPECT_THAT(status(), HasSubstr("labels.txt"));
  EXPECT_EQ(model()->labels.at("probabilities")[1], "B");
}

TEST_F(ModelConfigTest, WhatDoesNotApplyIsLoggedOnce) {
  put("m/1/model.onnx");
  write("m/config.pbtxt",
        "max_batch_size: 4\ndynamic_batching {\n max_queue_delay_microseconds: 100 }\nnews: 1\n");
  const std::string log = refresh();
  EXPECT_THAT(log, HasSubstr("config.pbtxt:3: dynamic_batching.max_queue_delay_microseconds: not "
                             "applied: no request waits for others"));
  EXPECT_THAT(log, HasSubstr("config.pbtxt:4: news: not applied: unknown"));
  EXPECT_THAT(refresh(), Not(HasSubstr("not applied")));
  write("m/config.pbtxt", "max_batch_size: 2\nnews: 1\n");
  EXPECT_THAT(refresh(), HasSubstr("config.pbtxt:2: news: not applied"));
  EXPECT_EQ(model()->queue->max_rows(), 2);
}

TEST_F(ModelConfigTest, OtherEnginesModelsAreUnavailableWithTheReason) {
  write("m/1/model.plan", "TensorRT's");
  write("m/config.pbtxt", "platform: \"tensorrt_plan\"");
  EXPECT_THAT(refresh(), HasSubstr("tensorrt_plan"));
  EXPECT_EQ(status(),
            "UNAVAILABLE config.pbtxt: line 1: platform: got 'tensorrt_plan', expected "
            "'onnxruntime_onnx': only ONNX models are served");
  EXPECT_FALSE(model());
}

TEST_F(ModelConfigTest, AnErrorMakesAModelUnavailableUntilItIsRepaired) {
  put("m/1/model.onnx");
  write("m/config.pbtxt", "max_batch_size 4");
  EXPECT_THAT(refresh(), HasSubstr("line 1, column 16"));
  EXPECT_THAT(status(), StartsWith("UNAVAILABLE config.pbtxt: line 1, column 16: "));
  EXPECT_THAT(refresh(), Not(HasSubstr("column"))) << "it is said once";
  write("m/config.pbtxt", "max_batch_size: 4");
  refresh();
  EXPECT_EQ(status(), "READY ");
  write("m/config.pbtxt", "name: 'other'");
  EXPECT_THAT(refresh(), HasSubstr("the configuration before it stays"));
  EXPECT_EQ(status(), "READY config.pbtxt: name: got 'other', expected the folder's, 'm'");
  EXPECT_EQ(model()->queue->max_rows(), 4);
  fs::remove(folder_ / "m" / "config.pbtxt");
  refresh();
  EXPECT_EQ(status(), "READY ");
  EXPECT_FALSE(model()->config);
}

TEST_F(ModelConfigTest, AConfigurationThatContradictsTheModelIsNotServed) {
  put("m/1/model.onnx");
  write("m/config.pbtxt", "output { name: 'scores' dims: [10] }");
  refresh();
  EXPECT_THAT(status(), HasSubstr("UNAVAILABLE config.pbtxt, line 1: the model has no output "
                                  "'scores', it has: probabilities"));
  write("m/config.pbtxt", "output { name: 'probabilities' dims: [-1, 10] }");
  refresh();
  EXPECT_EQ(status(), "READY ");
  const ModelLease good = model();
  write("m/config.pbtxt", "output { name: 'probabilities' data_type: TYPE_INT8 }");
  refresh();
  EXPECT_EQ(model(), good) << "it goes on as it was";
}

TEST_F(ModelConfigTest, WithoutBatchesNothingIsJoined) {
  put("m/1/model.onnx");
  write("m/config.pbtxt", "max_batch_size: 0");
  refresh();
  EXPECT_FALSE(model()->batchable);
  EXPECT_EQ(model()->queue->max_rows(), 1);
}

TEST_F(ModelConfigTest, AConfigurationThatIsStillBeingWrittenWaits) {
  put("m/1/model.onnx");
  write("m/config.pbtxt", "max_batch_size: 4");
  const auto provider = folder_provider(folder_, clock_, {}, 3600);
  fs::last_write_time(folder_ / "m" / "1" / "model.onnx",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_FALSE(provider->offers()[0].versions[0].settled);
  fs::last_write_time(folder_ / "m" / "config.pbtxt",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_TRUE(provider->offers()[0].versions[0].settled);
}

TEST_F(ModelConfigTest, FilesOfTimesToComeWereWrittenBeforeTheClockWasSetBack) {
  put("m/1/model.onnx");
  const auto provider = folder_provider(folder_, clock_, {}, 3600);
  EXPECT_FALSE(provider->offers()[0].versions[0].settled);
  fs::last_write_time(folder_ / "m" / "1" / "model.onnx",
                      fs::file_time_type::clock::now() + std::chrono::hours(24));
  EXPECT_TRUE(provider->offers()[0].versions[0].settled);
}

TEST(ConfiguredQueue, WhatTheConfigurationSaysIsALimit) {
  const auto queue = [](const QueueSettings& settings, const std::string& text) {
    return configured_queue(settings, read_triton_config(text));
  };
  EXPECT_EQ(queue({}, "").max_batch, 0);
  EXPECT_EQ(queue({}, "max_batch_size: 0").max_batch, 1);
  EXPECT_EQ(queue({}, "max_batch_size: 1").max_batch, 1);
  EXPECT_EQ(queue({}, "max_batch_size: 8").max_batch, 0);
  EXPECT_EQ(queue({}, "max_batch_size: 8").most_rows, 8);
  EXPECT_EQ(queue({.max_batch = 16}, "max_batch_size: 8").max_batch, 8);
  EXPECT_EQ(queue({.max_batch = 4}, "max_batch_size: 8").max_batch, 4);
  EXPECT_FALSE(queue({}, "max_batch_size: 8").trust_batch_dimension);
  EXPECT_TRUE(queue({}, "max_batch_size: 8 dynamic_batching {}").trust_batch_dimension);
  EXPECT_FALSE(queue({}, "max_batch_size: 0 dynamic_batching {}").trust_batch_dimension);
  EXPECT_EQ(queue({.max_queued = 5}, "dynamic_batching {}").max_queued, 5);
}

}  // namespace
}  // namespace onnxop
