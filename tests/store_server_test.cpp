// A server beside a store in which models are registered, promoted, rolled back and removed while
// requests run; with each kind of database.

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/registry/registry.h"
#include "onnxop/registry/test_store.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Versions of `digits`, each with files of its own, and the server that serves `digits@champion`
/// as the route `digits`.
class StoreServer : public EachStoreTest {
 protected:
  StoreServer() {
    const auto outcome = run_onnxop(
        {"data", "images", "mnist:test", "--first", "1", "--to", (folder_ / "digits").string()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    digit_ = fs::directory_iterator(folder_ / "digits")->path().string();
  }

  static fs::path trained() { return fs::path(test_store()) / "models" / "mnist" / "1"; }

  std::int64_t add() {
    return models_
        .publish({.name = "digits",
                  .model_file = trained() / "model.onnx",
                  .companions = {"golden.json"},
                  .source = "the test store"})
        .version;
  }
  /// A version whose golden samples expect other answers.
  std::int64_t add_that_answers_wrong() {
    Json golden = parse_json(read_text_file(trained() / "golden.json"), "golden.json");
    Json& answers = golden["samples"][0]["outputs"]["probabilities"]["data"];
    answers[0] = answers[0].get<double>() > 0.5 ? 0.0 : 1.0;
    const auto changed = write("wrong.json", dump_json(golden));
    return models_
        .publish({.name = "digits",
                  .model_file = trained() / "model.onnx",
                  .files = {{"golden.json", changed}}})
        .version;
  }

  void start() {
    std::vector<std::string> words{"serve",
                                   "--route",
                                   "digits=digits@champion",
                                   "--version-policy",
                                   "1",
                                   "--port",
                                   "0",
                                   "--port-file",
                                   (folder_ / "port").string(),
                                   "--store",
                                   on_postgresql() ? url_ : store_dir().string()};
    if (on_postgresql()) {
      words.insert(words.end(), {"--store-files", store_dir().string()});
    }
    server_ = std::make_unique<BackgroundProgram>(words);
    address_ = "http://127.0.0.1:" + server_->wait_for_file(folder_ / "port");
  }

  std::string curl(const std::string& path, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv{"curl",       "--silent", "--show-error",
                                  "--max-time", "60",       address_ + path};
    argv.insert(argv.end(), options.begin(), options.end());
    const auto outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }
  Json ask() const {
    return parse_json(curl("/api/digits", {"--data-binary", "@" + digit_}), "the answer");
  }
  std::int64_t champion() const { return ask()["version"]; }
  bool becomes(const std::function<bool()>& condition) const {
    for (int i = 0; i < 3000; ++i) {
      if (condition()) {
        return true;
      }
    }
    return false;
  }
  std::string reason_of(std::int64_t version) const {
    const Json index =
        parse_json(curl("/v2/repository/index", {"--data-binary", "{}"}), "the index");
    for (const Json& each : index) {
      if (each["name"] == "digits" && each["version"] == std::to_string(version)) {
        return each.value("reason", "");
      }
    }
    return "not there";
  }

  Registry registry_{location(), clock_};
  Models& models_ = registry_.models();
  std::string digit_;
  std::string address_;
  std::unique_ptr<BackgroundProgram> server_;
};

TEST_P(StoreServer, FollowsAnAliasUnderLoadWithoutAFailedRequest) {
  add();
  models_.set_alias("digits", "champion", 1);
  start();
  ASSERT_EQ(champion(), 1);

  std::atomic<bool> enough{false};
  std::string failed;
  std::thread load([&] {
    while (!enough) {
      std::istringstream lines(
          curl("/api/digits?number=[1-200]", {"--output", "/dev/null", "--write-out",
                                              "%{http_code}\n", "--data-binary", "@" + digit_}));
      for (std::string line; std::getline(lines, line);) {
        failed += line == "200" ? "" : line + " ";
      }
    }
  });
  for (std::int64_t next = 2; next <= 6; ++next) {
    ASSERT_EQ(add(), next);
    models_.set_alias("digits", "champion", next);
    EXPECT_TRUE(becomes([&] { return champion() == next; })) << next;
  }
  models_.rollback_alias("digits", "champion");
  EXPECT_TRUE(becomes([&] { return champion() == 5; }));
  models_.remove_version("digits", 6);
  models_.set_alias("digits", "champion", 2);
  EXPECT_TRUE(becomes([&] { return champion() == 2; }));
  enough = true;
  load.join();
  EXPECT_EQ(failed, "");
}

TEST_P(StoreServer, AVersionThatFailsItsGoldenSamplesTakesNoTraffic) {
  add();
  models_.set_alias("digits", "champion", 1);
  start();
  const auto wrong = add_that_answers_wrong();
  models_.set_alias("digits", "champion", wrong);
  EXPECT_TRUE(becomes([&] {
    return reason_of(wrong).find("golden sample 0") != std::string::npos;
  })) << reason_of(wrong);
  EXPECT_EQ(champion(), 1);
  models_.rollback_alias("digits", "champion");
  EXPECT_EQ(champion(), 1);
}

TEST_P(StoreServer, AVersionWithoutAModelLeavesTheAliasWhereItWas) {
  add();
  models_.set_alias("digits", "champion", 1);
  start();
  const auto bare =
      models_.publish({.name = "digits", .source = "mlflow-artifacts:/0/r/artifacts/model"})
          .version;
  models_.set_alias("digits", "champion", bare);
  EXPECT_TRUE(becomes([&] {
    return reason_of(bare).find("has no model.onnx") != std::string::npos;
  })) << reason_of(bare);
  EXPECT_EQ(champion(), 1);
}

TEST_P(StoreServer, ATrainingThatLogsAllTheTimeDoesNotHideAPromotion) {
  add();
  add();
  models_.set_alias("digits", "champion", 1);
  start();
  std::atomic<bool> enough{false};
  std::thread training([&] {
    Registry registry(location(), clock_, true);
    const auto run = registry.runs().create({.name = "training"});
    for (std::int64_t step = 0; !enough; ++step) {
      registry.runs().log_metrics(run, {{"loss", 1, step, step}});
    }
  });
  models_.set_alias("digits", "champion", 2);
  EXPECT_TRUE(becomes([&] { return champion() == 2; }));
  enough = true;
  training.join();
}

ONNXOP_ON_EACH_STORE(StoreServer);

}  // namespace
}  // namespace onnxop::testing_support
