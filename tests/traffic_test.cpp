// Splits, shadows and rollbacks as an operator uses them; asked with curl.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/contract.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/registry/registry.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Counts = std::map<std::int64_t, int>;

/// A store with two versions of `mnist`: 1, the trained one, is the champion; 2 the challenger.
class Traffic : public testing::Test {
 protected:
  Traffic() {
    fs::copy(test_store(), store(), fs::copy_options::recursive);
    const auto images =
        run_onnxop({"data", "images", "mnist:test", "--first", "1", "--to", dir_ / "digits"});
    EXPECT_EQ(images.exit_code, 0) << images.err;
    digit_ = fs::directory_iterator(dir_ / "digits")->path().string();
  }

  std::string store() const { return dir_ / "store"; }

  /// The file becomes the challenger.
  void challenge_with(const std::string& model_file) {
    const auto imported =
        run_onnxop({"import", model_file, "--name", "mnist", "--store", store(), "--json"});
    ASSERT_EQ(imported.exit_code, 0) << imported.err;
    const SystemClock clock;
    Registry registry(std::filesystem::path(store()), clock, true);
    registry.models().set_alias("mnist", "champion", 1);
    registry.models().set_alias("mnist", "challenger", 2);
  }
  std::string trained_model() const {
    return (fs::path(store()) / "models" / "mnist" / "1" / "model.onnx").string();
  }
  /// Takes digits, and gives sqrt(1 - the sum of its pixels) for each class: no answer to anything
  /// but a black image.
  std::string failing_model() const {
    Model model;
    model.graph.name = "failing";
    model.graph.inputs.push_back(
        {"image", DType::kFloat32, {{-1, "N"}, {28, ""}, {28, ""}, {1, ""}}, ""});
    model.graph.outputs.push_back({"probabilities", DType::kFloat32, {{-1, "N"}, {10, ""}}, ""});
    Tensor weights(DType::kFloat32, {784, 10});
    for (float& weight : weights.values<float>()) {
      weight = 1;
    }
    Tensor one(DType::kFloat32, {1});
    one.values<float>()[0] = 1;
    model.graph.initializers.push_back({"weights", std::move(weights), ""});
    model.graph.initializers.push_back({"one", std::move(one), ""});
    model.graph.nodes.push_back({"Flatten", "", {"image"}, {"pixels"}, {}, ""});
    model.graph.nodes.push_back({"MatMul", "", {"pixels", "weights"}, {"sum"}, {}, ""});
    model.graph.nodes.push_back({"Sub", "", {"one", "sum"}, {"left"}, {}, ""});
    model.graph.nodes.push_back({"Sqrt", "", {"left"}, {"probabilities"}, {}, ""});
    Contract contract;
    contract.input.name = "image";
    contract.input.width = 28;
    contract.input.height = 28;
    contract.output.name = "probabilities";
    model.metadata[std::string(kContractKey)] = dump_json(contract_to_json(contract));
    write_file_atomically(dir_.path() / "failing.onnx", serialize_model(model));
    return dir_ / "failing.onnx";
  }

  void start(const std::vector<std::string>& more) {
    // Nobody reads its readiness, so that SIGTERM need not wait for that.
    std::vector<std::string> args{"serve",   "--drain-seconds", "0",
                                  "--store", store(),           "--port",
                                  "0",       "--port-file",     dir_ / "port"};
    args.insert(args.end(), more.begin(), more.end());
    server_ = std::make_unique<BackgroundProgram>(args);
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  std::string curl(const std::string& path, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv{"curl",       "--silent", "--show-error",
                                  "--max-time", "60",       url_ + path};
    argv.insert(argv.end(), options.begin(), options.end());
    const auto outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }
  Json traffic(const std::vector<std::string>& options = {}) const {
    return parse_json(curl("/api/models/mnist/traffic", options), "traffic");
  }
  Json put(const std::string& body) const { return traffic({"--request", "PUT", "--data", body}); }
  /// Which versions answer that many requests, one after another; 0: an error did.
  Counts versions(int requests, const std::string& user = "") const {
    std::vector<std::string> options{"--data-binary", "@" + digit_, "--write-out", "\n"};
    if (!user.empty()) {
      options.insert(options.end(), {"--header", "X-User-Id: " + user});
    }
    std::istringstream lines(
        curl("/api/classify_digit?number=[1-" + std::to_string(requests) + "]", options));
    Counts counts;
    for (std::string line; std::getline(lines, line);) {
      ++counts[parse_json(line, "answer").value("version", std::int64_t{0})];
    }
    return counts;
  }
  /// A counter of /metrics, summed over its labels.
  double metric(const std::string& name) const {
    std::istringstream lines(curl("/metrics"));
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + "{")) {
        sum += std::stod(line.substr(line.rfind(' ')));
      }
    }
    return sum;
  }

  TempDir dir_;
  std::string digit_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

TEST_F(Traffic, ASplitGivesEachItsShareAndCallersStay) {
  challenge_with(trained_model());
  start({"--split", "mnist=champion:90,challenger:10"});
  EXPECT_EQ(versions(200), (Counts{{1, 180}, {2, 20}}));
  EXPECT_EQ(metric("onnxop_split_requests_total"), 200);

  const Json even = put(R"({"split": {"champion": 50, "challenger": 50}})");
  EXPECT_EQ(even["targets"][1]["share"], 0.5);
  Counts users;
  for (int i = 0; i < 16; ++i) {
    const Counts of_user = versions(5, "user-" + std::to_string(i));
    EXPECT_EQ(of_user.size(), 1U) << "user " << i;
    ++users[of_user.begin()->first];
  }
  EXPECT_EQ(users.size(), 2U);
  EXPECT_THAT(curl("/openapi.json"), HasSubstr("/api/models/{model}/traffic"));
}

TEST_F(Traffic, AShadowIsComparedAndNobodySeesIt) {
  challenge_with(trained_model());
  start({"--shadow", "mnist=challenger", "--route", "classify_digit=mnist"});
  EXPECT_EQ(versions(20), (Counts{{2, 20}})) << "the name alone is still the latest";
  EXPECT_EQ(metric("onnxop_shadow_requests_total"), 0) << "nothing is compared with itself";
  put(R"({"split": {"champion": 1}, "shadow": {"target": "challenger"}})");
  EXPECT_EQ(versions(50), (Counts{{1, 50}}));
  EXPECT_EQ(metric("onnxop_shadow_requests_total"), 50);
  double ended = 0;
  for (int i = 0; i < 3000 && ended < 50; ++i) {
    ended = metric("onnxop_shadow_agreement_total") + metric("onnxop_shadow_dropped_total");
  }
  EXPECT_EQ(ended, 50);
  EXPECT_GT(metric("onnxop_shadow_agreement_total"), 0);
  EXPECT_EQ(metric("onnxop_shadow_disagreement_total"), 0);
  EXPECT_EQ(metric("onnxop_shadow_largest_difference"), 0) << "it is the same model";
  EXPECT_EQ(traffic()["shadowed"]["requests"], 50);
}

TEST_F(Traffic, ACanaryThatFailsLosesItsTraffic) {
  challenge_with(failing_model());
  start({"--split", "mnist=champion:50,challenger:50"});
  EXPECT_EQ(versions(20), (Counts{{0, 10}, {1, 10}})) << "without limits it stays";
  put(R"({"split": {"champion": 50, "challenger": 50},
          "rollback": {"max_error_rate": 0.05, "min_requests": 10}})");
  // The tenth failure is counted as its answer is on the way, so that one more may slip through.
  Counts counts = versions(40);
  EXPECT_GE(counts[0], 10);
  EXPECT_LE(counts[0], 12);
  EXPECT_EQ(counts[0] + counts[1], 40);
  EXPECT_EQ(versions(20), (Counts{{1, 20}}));
  const Json after = traffic();
  EXPECT_EQ(after["rolled_back"]["target"], "challenger");
  EXPECT_THAT(after["rolled_back"]["reason"].get<std::string>(), HasSubstr("error rate 1 over 10"));
  EXPECT_EQ(after["rolled_back"]["figures"]["faults"], 10);
  EXPECT_EQ(after["targets"][0]["share"], 1.0);
  EXPECT_EQ(metric("onnxop_rollbacks_total"), 1);
  put(R"({"split": {"champion": 50, "challenger": 50}})");
  EXPECT_EQ(versions(4), (Counts{{0, 2}, {1, 2}})) << "until it is put again";
  server_->signal(SIGTERM);
  EXPECT_THAT(server_->wait().err, HasSubstr("a canary is rolled back"));
}

TEST_F(Traffic, ItChangesUnderLoadWithoutAFailedRequest) {
  challenge_with(trained_model());
  start({});
  std::atomic<bool> enough{false};
  Counts answered;
  std::thread load([&] {
    while (!enough) {
      for (const auto& [version, count] : versions(100)) {
        answered[version] += count;
      }
    }
  });
  for (int i = 0; i < 10; ++i) {
    put(R"({"split": {"champion": 1, "challenger": 1}, "shadow": {"target": "2", "percent": 50}})");
    put(R"({"split": {"1": 100}})");
    traffic({"--request", "DELETE"});
  }
  enough = true;
  load.join();
  EXPECT_EQ(answered.count(0), 0U);
  EXPECT_EQ(traffic()["split"], nullptr);
}

TEST_F(Traffic, WrongOptionsAndRequestsAreRefused) {
  challenge_with(trained_model());
  for (const auto& options : std::vector<std::vector<std::string>>{
           {"--split", "mnist"},
           {"--split", "mnist=champion"},
           {"--split", "mnist=champion:x"},
           {"--split", "mnist=champion:0"},
           {"--split", "mnist=champion:1", "--split", "mnist=champion:1"},
           {"--shadow", "mnist=challenger:101"},
           {"--sticky-header", "X User"}}) {
    std::vector<std::string> args{"serve", "--store", store(), "--port", "0"};
    args.insert(args.end(), options.begin(), options.end());
    EXPECT_EQ(run_onnxop(args).exit_code, 2) << options[1];
  }
  const auto unknown = run_onnxop(
      {"serve", "--store", store(), "--port", "0", "--split", "mnist=champion:1,newcomer:1"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there is no alias 'newcomer'"));

  start({"--split", "mnist=champion:1"});
  EXPECT_THAT(put(R"({"split": {"newcomer": 1}})")["error"].get<std::string>(),
              HasSubstr("there is no alias 'newcomer'"));
  EXPECT_THAT(put(R"({"splits": {}})")["error"].get<std::string>(),
              HasSubstr("did you mean 'split'?"));
  EXPECT_EQ(traffic()["split"], Json({{"champion", 1}}));
}

}  // namespace
}  // namespace onnxop::testing_support
