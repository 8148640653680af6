// Where a run comes from, what it takes of the machine, and what it leaves.

#include "onnxop/workflow/train_tracking.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/workflow/run_artifacts.h"
#include "onnxop/workflow/run_origin.h"
#include "onnxop/workflow/system_metrics.h"
#include "onnxop/workflow/unwritten_points.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

void put(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, as_bytes(text));
}

TEST(GitCommit, IsReadFromTheRepositorysFiles) {
  const TestFolder folder;
  const fs::path work = folder.path() / "work";
  const std::string one(40, 'a');
  const std::string two(40, 'b');
  EXPECT_EQ(git_commit(folder.path()), "") << "no repository";
  put(work / ".git" / "HEAD", one + "\n");
  EXPECT_EQ(git_commit(work), one) << "no branch";
  put(work / ".git" / "HEAD", "ref: refs/heads/main\n");
  EXPECT_EQ(git_commit(work), "") << "nothing committed yet";
  put(work / ".git" / "packed-refs",
      "# pack-refs with: peeled\n" + one + " refs/heads/mainly\n" + two + " refs/heads/main\n");
  EXPECT_EQ(git_commit(work), two);
  put(work / ".git" / "refs" / "heads" / "main", one + "\n");
  EXPECT_EQ(git_commit(work), one);
  fs::create_directories(work / "a" / "b");
  EXPECT_EQ(git_commit(work / "a" / "b"), one) << "from a folder inside";

  put(folder.path() / "second" / ".git", "gitdir: ../work/.git/worktrees/second\n");
  put(work / ".git" / "worktrees" / "second" / "HEAD", "ref: refs/heads/main\n");
  put(work / ".git" / "worktrees" / "second" / "commondir", "../..\n");
  EXPECT_EQ(git_commit(folder.path() / "second"), one) << "a second working folder";

  put(work / ".git" / "HEAD", "ref: ../../secret\n");
  EXPECT_EQ(git_commit(work), "");
  put(work / ".git" / "HEAD", "no commit at all\n");
  EXPECT_EQ(git_commit(work), "");
}

TEST(SystemMetricsTest, OfWhatProcSays) {
  const TestFolder folder;
  const auto write_times = [&](const std::string& all, const std::string& own) {
    put(folder.path() / "stat", "cpu  " + all + " 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n");
    put(folder.path() / "self" / "stat",
        "7 (a ) odd (name) R 1 2 3 4 5 6 7 8 9 10 " + own + " 0 0 20 0 1 0\n");
  };
  put(folder.path() / "meminfo",
      "MemTotal:       10000000 kB\nMemFree: 1 kB\nMemAvailable:    2500000 kB\n");
  put(folder.path() / "self" / "status", "Name:\tonnxop\nVmRSS:\t   250000 kB\nThreads:\t3\n");
  write_times("100 0 50 800 50 0 0 0", "100 20");
  SystemMetrics metrics(folder.path(), 100);
  const auto by_key = [&](std::int64_t step, std::int64_t time) {
    std::map<std::string, double> values;
    for (const Metric& metric : metrics.sample(step, time)) {
      EXPECT_EQ(metric.step, step);
      EXPECT_EQ(metric.timestamp_ms, time);
      values[metric.key] = metric.value;
    }
    return values;
  };
  EXPECT_THAT(by_key(1, 5000), ElementsAre(Pair("system/process_memory_megabytes", 256),
                                           Pair("system/system_memory_usage_megabytes", 7680),
                                           Pair("system/system_memory_usage_percentage", 75)));
  write_times("700 0 150 900 250 0 0 0", "500 120");  // 700 of 1,000 busy; 500 in 10 seconds
  const auto second = by_key(2, 15'000);
  EXPECT_EQ(second.at("system/cpu_utilization_percentage"), 70);
  EXPECT_EQ(second.at("system/process_cpu_utilization_percentage"), 50);
  SystemMetrics none(folder.path() / "nowhere", 100);
  EXPECT_TRUE(none.sample(1, 0).empty());
}

TEST(SystemMetricsTest, OfThisMachine) {
  SystemMetrics metrics;
  const auto sample = metrics.sample(1, 0);
  ASSERT_EQ(sample.size(), 3U);
  for (const Metric& metric : sample) {
    EXPECT_GT(metric.value, 0) << metric.key;
  }
}

TEST(UnwrittenPoints, ComeBackAsTheyWere) {
  const TestFolder folder;
  EXPECT_TRUE(load_unwritten_points(folder.path()).empty());
  save_unwritten_points(folder.path(),
                        {{"loss", 0.1, 5, 7},
                         {"loss", std::numeric_limits<double>::quiet_NaN(), -1, 8},
                         {"a \"b\"", -std::numeric_limits<double>::infinity(), 1, 9}});
  const auto points = load_unwritten_points(folder.path());
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].value, 0.1);
  EXPECT_EQ(points[0].timestamp_ms, 5);
  EXPECT_EQ(points[0].step, 7);
  EXPECT_TRUE(std::isnan(points[1].value));
  EXPECT_EQ(points[2].key, "a \"b\"");
  remove_unwritten_points(folder.path());
  EXPECT_TRUE(load_unwritten_points(folder.path()).empty());
  put(folder.path() / "unwritten_metrics.json", "[[1]]");
  EXPECT_EQ(code_of([&] { load_unwritten_points(folder.path()); }), ErrorCode::kInvalidArgument);
}

TEST(RunArtifacts, CurvesAreDrawnOfWhatTheRunHas) {
  const TestFolder folder;
  const SystemClock clock;
  Registry registry(folder.path(), clock);
  const std::string run = registry.runs().create({});
  EXPECT_TRUE(curve_artifacts(registry, run).empty());
  registry.runs().log_metrics(run, {{"train_loss", 0.5, 1, 1}, {"val_loss", 0.6, 1, 1}});
  const auto curves = curve_artifacts(registry, run);
  ASSERT_EQ(curves.size(), 1U);
  EXPECT_EQ(curves[0].path, "curves/loss.svg");
  EXPECT_THAT(curves[0].content, HasSubstr(">val_loss</text>"));
  put_run_file(registry, registry.runs().get(run), curves[0]);
  const auto files =
      registry.artifacts().list(run_artifact_root(registry.runs().get(run)) + "/curves");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].bytes, std::ssize(curves[0].content));
}

TEST(RunArtifacts, TheConfusionMatrixAsValuesAndAsPicture) {
  Evaluation test;
  EXPECT_TRUE(confusion_artifacts(test).empty());
  test.confusion = {{3, 1}, {0, 4}};
  test.classes = {{"cat", 4, 1, 0.75}, {"dog", 4, 0.8, 1}};
  const auto files = confusion_artifacts(test);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(parse_json(files[0].content, "matrix"),
            Json({{"labels", {"cat", "dog"}}, {"counts", {{3, 1}, {0, 4}}}}));
  EXPECT_THAT(files[1].content, HasSubstr("<svg"));
}

TEST(TrainTracking, DataSetsHaveTheirHashes) {
  DataSpec data;
  data.kind = DataKind::kCsv;
  data.train_images = "/data/wine train.csv";
  data.test_images = "/data/test.csv";
  TrainSummary summary;
  summary.train_sha256 = std::string(64, 'a');
  summary.test_sha256 = std::string(64, 'b');
  summary.training_samples = 80;
  summary.validation_samples = 20;
  const auto inputs = dataset_inputs(data, summary);
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[0].dataset.name, "wine train.csv");
  EXPECT_EQ(inputs[0].dataset.digest, std::string(32, 'a'));
  EXPECT_EQ(parse_json(inputs[0].dataset.profile, "profile"),
            Json({{"num_rows", 100}, {"sha256", std::string(64, 'a')}}));
  EXPECT_THAT(inputs[1].tags, ElementsAre(Pair("mlflow.data.context", "test")));
}

TEST(TrainTracking, ParametersAreTheSpecsKeysWithDots) {
  EXPECT_THAT(spec_params({{"train", {{"epochs", 3}, {"optimizer", {{"Adam", Json::object()}}}}},
                           {"name", "digits"}}),
              ElementsAre(Pair("name", "digits"), Pair("train.epochs", "3"),
                          Pair("train.optimizer.Adam", "{}")));
}

}  // namespace
}  // namespace onnxop
