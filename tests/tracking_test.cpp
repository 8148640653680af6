// MLflow's REST API as a client uses it: a store that is new, a run, a model that is registered and
// then served.

#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

class Tracking : public testing::Test {
 protected:
  void start(const std::vector<std::string>& more = {}) {
    std::filesystem::remove(dir_ / "port");
    std::vector<std::string> args{"serve",       "--store",     dir_ / "store",    "--port", "0",
                                  "--port-file", dir_ / "port", "--drain-seconds", "0"};
    args.insert(args.end(), more.begin(), more.end());
    server_ = std::make_unique<BackgroundProgram>(args);
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  void stop() {
    server_->signal(SIGTERM);
    EXPECT_EQ(server_->wait().exit_code, 0);
  }

  std::string curl(const std::string& path, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv{"curl",       "--silent", "--show-error",
                                  "--max-time", "60",       url_ + path};
    argv.insert(argv.end(), options.begin(), options.end());
    const auto outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }

  /// A call below /api/2.0/mlflow/, with a body where there is one.
  Json call(const std::string& method, const std::string& path,
            const std::string& body = "") const {
    std::vector<std::string> options{"--request", method};
    if (!body.empty()) {
      options.insert(options.end(), {"--header", "Content-Type: application/json", "--data", body});
    }
    return parse_json(curl("/api/2.0/mlflow/" + path, options), path);
  }

  Json upload(const std::string& file, const std::string& path) const {
    return parse_json(curl("/api/2.0/mlflow-artifacts/artifacts/" + path, {"--upload-file", file}),
                      path);
  }

  std::string new_run() const {
    return call("POST", "runs/create",
                R"({"experiment_id": "0", "run_name": "by hand"})")["run"]["info"]["run_id"];
  }

  TempDir dir_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

TEST_F(Tracking, ANewStoreIsTrackedInto) {
  start();
  EXPECT_EQ(curl("/health"), "OK");
  const std::string run = new_run();
  call("POST", "runs/log-batch",
       R"({"run_id": ")" + run +
           R"(", "metrics": [{"key": "acc", "value": 0.75, "timestamp": 1, "step": 1}],
           "params": [{"key": "optimizer", "value": "adadelta"}]})");
  const Json found =
      call("POST", "runs/search", R"({"experiment_ids": ["0"], "filter": "metrics.acc > 0.5"})");
  ASSERT_EQ(found["runs"].size(), 1U) << found;
  EXPECT_EQ(found["runs"][0]["info"]["run_id"], run);
  stop();
  const auto shown = run_onnxop({"runs", "list", "--store", dir_ / "store"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("by hand"));
  start();
  EXPECT_EQ(call("GET", "runs/get?run_id=" + run)["run"]["data"]["params"][0]["value"], "adadelta");
}

TEST_F(Tracking, AnAliasServesTheModelThatWasLogged) {
  start();
  const std::string run = new_run();
  const std::string folder = "0/" + run + "/artifacts/model/";
  write_file_atomically(dir_ / "MLmodel", as_bytes("flavors:\n  onnx:\n    data: model.onnx\n"));
  upload(dir_ / "MLmodel", folder + "MLmodel");
  upload(test_store() + "/models/mnist/1/model.onnx", folder + "model.onnx");
  call("POST", "registered-models/create", R"({"name": "digits"})");
  const Json version = call("POST", "model-versions/create",
                            R"({"name": "digits", "source": "mlflow-artifacts:/)" + folder +
                                R"(", "run_id": ")" + run + "\"}");
  ASSERT_EQ(version["model_version"]["version"], "1") << version;
  call("POST", "registered-models/alias",
       R"({"name": "digits", "alias": "champion", "version": "1"})");
  const auto metadata = [&] { return curl("/v2/models/digits@champion"); };
  for (int i = 0; i < 3000 && metadata().find("probabilities") == std::string::npos; ++i) {
  }
  EXPECT_THAT(metadata(), HasSubstr("probabilities"));
  const std::string pixels(28 * 28, '\x40');
  write_file_atomically(dir_ / "digit.pgm", as_bytes("P5\n28 28\n255\n" + pixels));
  const Json answer = parse_json(
      curl("/api/models/digits@champion/classify", {"--data-binary", "@" + (dir_ / "digit.pgm")}),
      "answer");
  EXPECT_EQ(answer["model"], "digits") << answer;
  EXPECT_EQ(answer["version"], 1);
}

TEST_F(Tracking, ItIsOffOrApartWhereThatIsSaid) {
  start();
  stop();
  start({"--no-tracking"});
  EXPECT_THAT(curl("/api/2.0/mlflow/experiments/get?experiment_id=0"),
              HasSubstr("ENDPOINT_NOT_FOUND"));
  stop();
  start({"--tracking-port", "0", "--tracking-port-file", dir_ / "tracking-port"});
  EXPECT_THAT(curl("/api/2.0/mlflow/experiments/get?experiment_id=0"),
              HasSubstr("ENDPOINT_NOT_FOUND"));
  url_ = "http://127.0.0.1:" + read_text_file(dir_ / "tracking-port");
  EXPECT_THAT(curl("/api/2.0/mlflow/experiments/get?experiment_id=0"), HasSubstr("Default"));
}

TEST_F(Tracking, WrongOptionsAreRefused) {
  const auto none = run_onnxop({"serve", "--store", dir_ / "none", "--port", "0", "--no-tracking"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr(dir_ / "none"));
  EXPECT_EQ(run_onnxop({"serve", "--store", dir_ / "none", "--no-tracking", "--tracking-port", "0"})
                .exit_code,
            2);
  EXPECT_EQ(run_onnxop({"serve", "--store", dir_ / "none", "--tracking-port", "0",
                        "--tracking-host", "0.0.0.0"})
                .exit_code,
            2);
}

}  // namespace
}  // namespace onnxop::testing_support
