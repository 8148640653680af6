// A server, or a training, whose database goes away while it works, and comes back: PostgreSQL is
// killed and started again, and disks fill up.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"
#include "onnxop/registry/registry.h"
#include "onnxop/registry/test_postgresql.h"
#include "support/logged_steps.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Answer {
  std::string status;
  std::string text;
  Json json() const { return parse_json(text, "answer"); }
};

/// A store in a PostgreSQL of the test's own.
class StoreOutage : public testing::Test {
 protected:
  TempDir dir_;
  SystemClock clock_;
  TestPostgresql postgresql_;
  const StoreLocation location_{postgresql_.new_url(), dir_ / "files"};
  std::string run_;
};

/// `digits@champion` served from it.
class PostgresqlOutage : public StoreOutage {
 protected:
  PostgresqlOutage() {
    const auto outcome =
        run_onnxop({"data", "images", "mnist:test", "--first", "1", "--to", dir_ / "digits"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    digit_ = fs::directory_iterator(dir_ / "digits")->path().string();
    Registry registry(location_, clock_);
    for (int version = 1; version <= 2; ++version) {
      registry.models().publish(
          {.name = "digits",
           .model_file = fs::path(test_store()) / "models" / "mnist" / "1" / "model.onnx",
           .source = "the test store"});
    }
    registry.models().set_alias("digits", "champion", 1);
    server_.emplace(std::vector<std::string>{
        "serve", "--route", "digits=digits@champion", "--port", "0", "--port-file", dir_ / "port",
        "--store", location_.database_url, "--store-files", location_.folder.string()});
    address_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  Answer ask(const std::string& path, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv{"curl", "--silent",    "--show-error",   "--max-time",
                                  "60",   "--write-out", "\n%{http_code}", address_ + path};
    argv.insert(argv.end(), options.begin(), options.end());
    const std::string out = run_program(argv).out;
    const auto end = out.rfind('\n');
    return {out.substr(end + 1), out.substr(0, end)};
  }
  Answer post(const std::string& path, const Json& body) const {
    return ask("/api/2.0/mlflow/" + path,
               {"--header", "Content-Type: application/json", "--data-binary", dump_json(body)});
  }
  Answer log_point(int step) const {
    return post("runs/log-metric", {{"run_id", run_},
                                    {"key", "loss"},
                                    {"value", 0.5},
                                    {"timestamp", 1000 + step},
                                    {"step", step}});
  }
  Answer classify() const { return ask("/api/digits", {"--data-binary", "@" + digit_}); }

  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> steps;
    for (const Metric& metric :
         Registry(location_, clock_, true).runs().metric_history(run_, "loss")) {
      steps.push_back(metric.step);
    }
    return steps;
  }

  std::optional<BackgroundProgram> server_;
  std::string digit_;
  std::string address_;
};

TEST_F(PostgresqlOutage, ModelsAreServedMeanwhileAndTrackingGoesOnAfterwards) {
  run_ = post("runs/create", {{"experiment_id", "0"}}).json()["run"]["info"]["run_id"];
  std::vector<std::int64_t> acknowledged;
  for (int step = 0; step < 5; ++step) {
    ASSERT_EQ(log_point(step).status, "200");
    acknowledged.push_back(step);
  }
  ASSERT_EQ(classify().json()["version"], 1);

  postgresql_.stop();
  for (const char* call :
       {"experiments/get?experiment_id=0", "registered-models/get?name=digits"}) {
    const Answer refused = ask(std::string("/api/2.0/mlflow/") + call);
    EXPECT_EQ(refused.status, "503") << call;
    EXPECT_EQ(refused.json()["error_code"], "TEMPORARILY_UNAVAILABLE");
    EXPECT_THAT(refused.json()["message"].get<std::string>(), HasSubstr("the database"));
  }
  EXPECT_EQ(log_point(5).status, "503");
  EXPECT_EQ(ask("/health").status, "200");
  EXPECT_EQ(ask("/v2/health/ready").json()["ready"], true);
  for (int i = 0; i < 20; ++i) {
    const Answer answer = classify();
    ASSERT_EQ(answer.status, "200") << answer.text;
    EXPECT_EQ(answer.json()["version"], 1);
  }

  postgresql_.restart();
  EXPECT_EQ(steps(), acknowledged);
  EXPECT_EQ(log_point(5).status, "200");
  EXPECT_EQ(log_point(5).status, "200") << "again, as a client does that heard nothing";
  acknowledged.push_back(5);
  EXPECT_EQ(steps(), acknowledged);
  Registry(location_, clock_, true).models().set_alias("digits", "champion", 2);
  bool followed = false;
  for (int i = 0; i < 3000 && !followed; ++i) {
    followed = classify().json()["version"] == 2;
  }
  EXPECT_TRUE(followed);
}

TEST_F(PostgresqlOutage, NothingThatWasAcknowledgedIsLostWhenItDiesUnderLoad) {
  run_ = post("runs/create", {{"experiment_id", "0"}}).json()["run"]["info"]["run_id"];
  std::atomic<int> done{0};
  std::atomic<bool> refused{false};
  std::atomic<bool> back{false};
  std::set<std::int64_t> acknowledged;
  std::vector<std::string> others;
  std::thread client([&] {
    for (int step = 0, after = 0; after < 10; ++step) {
      const Answer answer = log_point(step);
      if (answer.status == "200") {
        acknowledged.insert(step);
        after += back ? 1 : 0;
      } else if (answer.status == "503") {
        refused = true;
      } else {
        others.push_back(answer.status + " " + answer.text);
        after += 1;
      }
      ++done;
    }
  });
  const auto wait_until = [](const auto& condition) {
    while (!condition()) {
      std::this_thread::yield();
    }
  };
  for (int round = 0; round < 3; ++round) {
    const int before = done;
    wait_until([&] { return done > before + 5; });
    refused = false;
    postgresql_.stop();
    wait_until([&] { return refused.load(); });
    postgresql_.restart();
  }
  back = true;
  client.join();
  EXPECT_THAT(others, testing::IsEmpty());
  const auto found = steps();
  const std::set<std::int64_t> kept(found.begin(), found.end());
  EXPECT_EQ(kept.size(), found.size()) << "none twice";
  EXPECT_TRUE(std::includes(kept.begin(), kept.end(), acknowledged.begin(), acknowledged.end()));
  EXPECT_GT(acknowledged.size(), 10U);
  EXPECT_TRUE(server_->running());
}

/// `onnxop train` whose database is killed after its first epoch.
class TrainingOutage : public StoreOutage {
 protected:
  void start_and_kill_database(const std::string& on_tracking_error) {
    training_.emplace(std::vector<std::string>{
        "train", (source_dir() / "examples" / "mnist-small.yaml").string(), "--set",
        "train.epochs=10", "--set", "train.early_stopping.patience=100", "--store",
        location_.database_url, "--store-files", location_.folder.string(), "--run-id-file",
        dir_ / "run", "--on-tracking-error", on_tracking_error});
    run_ = training_->wait_for_file(dir_ / "run");
    training_->wait_for_file(location_.folder / "runs" / run_ / "checkpoint");
    postgresql_.stop();
  }
  void wait_for_log(const std::string& text) {
    while (training_->log().find(text) == std::string::npos) {
      ASSERT_TRUE(training_->running()) << training_->log();
      std::this_thread::yield();
    }
  }

  std::optional<BackgroundProgram> training_;
};

TEST_F(TrainingOutage, GoesOnAndWritesEachStepOnceWhenTheDatabaseIsBack) {
  start_and_kill_database("continue");
  wait_for_log("the training goes on");
  postgresql_.restart();
  const Outcome outcome = training_->wait();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("the store can be written again"));
  Registry registry(location_, clock_, true);
  EXPECT_EQ(registry.runs().get(run_).status, RunStatus::kFinished);
  std::vector<std::int64_t> steps;
  for (const Metric& metric : registry.runs().metric_history(run_, "batch_loss")) {
    steps.push_back(metric.step);
  }
  EXPECT_TRUE(are_logged_steps(steps, 5500)) << testing::PrintToString(steps);
  EXPECT_EQ(registry.models().versions("mnist-small").size(), 1U);
}

TEST_F(TrainingOutage, StopsWithTheErrorWhenToldToAndIsResumed) {
  start_and_kill_database("stop");
  const Outcome outcome = training_->wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the database"));
  postgresql_.restart();
  const auto resumed = run_onnxop({"train", "--resume", run_, "--store", location_.database_url,
                                   "--store-files", location_.folder.string()});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  Registry registry(location_, clock_, true);
  EXPECT_EQ(registry.runs().get(run_).status, RunStatus::kFinished);
  EXPECT_EQ(registry.runs().metric_history(run_, "val_loss").size(), 10U);
}

class FullDiskTracking : public testing::TestWithParam<const char*> {};

TEST_P(FullDiskTracking, LosesNothingThatWasAcknowledgedAndGoesOnWhenThereIsRoom) {
  const TempDir dir;
  // PostgreSQL runs as another user.
  fs::permissions(dir.path(), fs::perms::others_exec, fs::perm_options::add);
  fs::create_directory(dir / "disk");
  const auto outcome =
      run_with_own_mounts({(source_dir() / "tests/support/full_disk_tracking").string(),
                           program_path(), dir / "disk", GetParam()});
  if (outcome.exit_code == 77) {
    GTEST_SKIP() << "no file system can be mounted here: " << outcome.err;
  }
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, testing::ContainsRegex("batches logged: (503|507) .*error_code"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("batches acknowledged")));
}

INSTANTIATE_TEST_SUITE_P(Each, FullDiskTracking, testing::Values("sqlite", "postgresql"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace onnxop::testing_support
