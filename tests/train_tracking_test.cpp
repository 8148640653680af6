// What a training leaves in the store, as it goes and at its end; and what becomes of it when the
// store cannot be written.

#include <algorithm>
#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/registry.h"
#include "support/logged_steps.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::int64_t kBatches = 550;  // of an epoch of examples/mnist-small.yaml

std::string small_spec() {
  return (source_dir() / "examples" / "mnist-small.yaml").string();
}

std::vector<std::string> train_args(const std::string& store,
                                    const std::vector<std::string>& more = {}) {
  std::vector<std::string> args{"train", small_spec(), "--json",        "--store",
                                store,   "--set",      "train.epochs=2"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

class TrainTracking : public testing::Test {
 protected:
  void train(const std::vector<std::string>& more = {}) {
    const auto outcome = run_onnxop(train_args(dir_ / "store", more));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    result_ = outcome.json();
    open(result_["run_id"].get<std::string>());
  }

  void open(const std::string& run_id, const std::string& store = "store") {
    registry_.emplace(fs::path(dir_ / store), clock_, /*must_exist=*/true);
    run_ = registry_->runs().get(run_id);
  }

  std::vector<std::int64_t> steps_of(const std::string& key) const {
    std::vector<std::int64_t> steps;
    for (const Metric& metric : registry_->runs().metric_history(run_.run_id, key)) {
      steps.push_back(metric.step);
    }
    return steps;
  }

  void expect_each_step_once(const std::string& key, std::int64_t count) const {
    const auto steps = steps_of(key);
    EXPECT_TRUE(are_logged_steps(steps, count)) << key << ": " << testing::PrintToString(steps);
  }

  Artifact artifact(const std::string& path) const {
    const auto found = registry_->artifacts().find(run_artifact_root(run_) + "/" + path);
    EXPECT_TRUE(found) << path;
    return found.value_or(Artifact{});
  }

  std::string text_of(const std::string& path) const {
    return read_text_file(registry_->artifacts().file(artifact(path)));
  }

  TempDir dir_;
  SystemClock clock_;
  std::optional<Registry> registry_;
  onnxop::Run run_;
  Json result_;
};

TEST_F(TrainTracking, ARunTellsWhereItComesFromAndWhatItUsed) {
  train({"--experiment", "digits"});
  EXPECT_EQ(registry_->experiments().get(run_.experiment_id).name, "digits");
  EXPECT_EQ(run_.status, RunStatus::kFinished);
  EXPECT_EQ(run_.tags.at("mlflow.source.name"), small_spec());
  EXPECT_EQ(run_.tags.at("mlflow.source.type"), "LOCAL");
  EXPECT_EQ(run_.tags.at("mlflow.runName"), "mnist-small");
  EXPECT_EQ(run_.tags.at("mlflow.user"), run_.user_id);
  EXPECT_NE(run_.user_id, "");
  EXPECT_EQ(run_.params.at("train.epochs"), "2");
  ASSERT_EQ(run_.dataset_inputs.size(), 2U);
  std::set<std::string> contexts;
  for (const DatasetInput& input : run_.dataset_inputs) {
    EXPECT_EQ(input.dataset.name, "mnist");
    EXPECT_EQ(input.dataset.digest.size(), 32U);
    contexts.insert(input.tags.at("mlflow.data.context"));
  }
  EXPECT_EQ(contexts, (std::set<std::string>{"test", "training"}));
}

TEST_F(TrainTracking, ARunHasPointsOfEachStepAndEpochAndOfTheMachine) {
  train();
  for (const auto* key : {"train_loss", "val_loss", "train_accuracy", "val_accuracy"}) {
    expect_each_step_once(key, 2);
  }
  for (const auto* key : {"batch_loss", "batch_accuracy", "batch_learning_rate"}) {
    expect_each_step_once(key, 2 * kBatches);
  }
  for (const auto* key :
       {"system/process_memory_megabytes", "system/system_memory_usage_percentage",
        "system/cpu_utilization_percentage"}) {
    EXPECT_GE(run_.metrics.at(key).value, 0) << key;
  }
  EXPECT_EQ(run_.metrics.at("test_accuracy").value, result_["test_accuracy"].get<double>());
}

TEST_F(TrainTracking, ARunKeepsItsFiles) {
  train();
  EXPECT_EQ(parse_json(text_of("spec.json"), "spec")["train"]["epochs"], 2);
  for (const auto* path : {"curves/loss.svg", "curves/accuracy.svg", "curves/batch_loss.svg",
                           "confusion_matrix.svg"}) {
    EXPECT_THAT(text_of(path), HasSubstr("<svg")) << path;
  }
  const Json confusion = parse_json(text_of("confusion_matrix.json"), "confusion matrix");
  double right = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    right += confusion["counts"][i][i].get<double>();
  }
  EXPECT_EQ(right / 10'000, result_["test_accuracy"].get<double>());
  EXPECT_EQ(artifact("model/model.onnx").sha256,
            sha256_file(result_["model_path"].get<std::string>()));
  const auto inspected =
      run_onnxop({"inspect", "mnist-small", "--json", "--store", dir_ / "store"}).json();
  Json inspection = parse_json(text_of("model/inspection.json"), "inspection");
  EXPECT_EQ(inspection["path"], "model.onnx");
  inspection["path"] = inspected["path"];
  EXPECT_EQ(inspection, inspected);
  EXPECT_EQ(parse_json(text_of("model/golden.json"), "golden")["samples"].size(), 8U);
  EXPECT_TRUE(registry_->artifacts().verify().empty());
  const ModelVersion version = registry_->models().version("mnist-small", 1);
  EXPECT_EQ(version.metrics.at("test_accuracy"), result_["test_accuracy"].get<double>());
  EXPECT_FALSE(version.contract.empty());
}

TEST_F(TrainTracking, AResumedRunHasNoStepTwice) {
  BackgroundProgram training(
      train_args(dir_ / "store", {"--run-id-file", dir_ / "run", "--set", "train.epochs=3"}));
  const std::string run = training.wait_for_file(dir_ / "run");
  training.wait_for_file(dir_.path() / "store" / "runs" / run / "checkpoint");
  training.signal(SIGKILL);
  training.wait();
  const auto resumed = run_onnxop({"train", "--resume", run, "--json", "--store", dir_ / "store"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  open(run);
  EXPECT_EQ(run_.status, RunStatus::kFinished);
  expect_each_step_once("train_loss", 3);
  expect_each_step_once("val_loss", 3);
  const auto steps = steps_of("batch_loss");
  EXPECT_EQ(std::set(steps.begin(), steps.end()).size(), steps.size());
  EXPECT_EQ(steps.back(), 3 * kBatches);
  // What the killed process had not written yet is missing, and nothing else: what was written
  // before is there from the first step on, and all from the epoch on that the run went on with.
  std::vector<std::int64_t> behind_gaps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] != (i == 0 ? 0 : steps[i - 1]) + 1) {
      behind_gaps.push_back(steps[i]);
    }
  }
  EXPECT_LE(behind_gaps.size(), 1U);
  for (const std::int64_t step : behind_gaps) {
    EXPECT_EQ(step % kBatches, 1) << "the first of an epoch";
  }
  EXPECT_EQ(registry_->models().versions("mnist-small").size(), 1U);
}

TEST_F(TrainTracking, AnInterruptedRunHasItsCurves) {
  BackgroundProgram training(
      train_args(dir_ / "store", {"--run-id-file", dir_ / "run", "--set", "train.epochs=100"}));
  const std::string run = training.wait_for_file(dir_ / "run");
  training.wait_for_file(dir_.path() / "store" / "runs" / run / "checkpoint");
  training.signal(SIGINT);
  EXPECT_EQ(training.wait().exit_code, 1);
  open(run);
  EXPECT_EQ(run_.status, RunStatus::kKilled);
  EXPECT_THAT(text_of("curves/loss.svg"), HasSubstr("train_loss"));
  EXPECT_FALSE(steps_of("batch_loss").empty());
}

TEST_F(TrainTracking, AWrongWordForTrackingErrorsIsWrongUsage) {
  const auto outcome = run_onnxop(train_args(dir_ / "store", {"--on-tracking-error", "panic"}));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("continue"));
}

class FullDiskTraining : public TrainTracking {
 protected:
  Outcome train_on_full_disk(const std::string& mode) const {
    fs::create_directory(dir_ / "disk");
    return run_with_own_mounts({(source_dir() / "tests/support/full_disk_training").string(),
                                program_path(), small_spec(), dir_ / "disk", mode});
  }

  static bool cannot_mount(const Outcome& outcome) { return outcome.exit_code == 77; }
};

TEST_F(FullDiskTraining, GoesOnAndWritesWhenThereIsRoomAgain) {
  const auto outcome = train_on_full_disk("continue");
  if (cannot_mount(outcome)) {
    GTEST_SKIP() << "no file system can be mounted here: " << outcome.err;
  }
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("the store can be written again"));
  open(read_text_file(dir_ / "disk-run"), "disk-store");
  expect_each_step_once("batch_loss", 20 * kBatches);
  expect_each_step_once("val_loss", 20);
}

TEST_F(FullDiskTraining, StopsWithTheErrorWhenToldTo) {
  const auto outcome = train_on_full_disk("stop");
  if (cannot_mount(outcome)) {
    GTEST_SKIP() << "no file system can be mounted here: " << outcome.err;
  }
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, testing::AnyOf(HasSubstr("No space left"), HasSubstr("full")));
}

}  // namespace
}  // namespace onnxop::testing_support
