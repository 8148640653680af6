// The verb bench as a user runs it: a served model, and one in the process.

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

/// Few requests in one window.
const std::vector<std::string> kShort{"--requests", "40", "--windows", "1"};

class Bench : public testing::Test {
 protected:
  void start() {
    server_ = std::make_unique<BackgroundProgram>(std::vector<std::string>{
        "serve", "--store", test_store(), "--port", "0", "--port-file", dir_ / "port"});
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  static Outcome bench(std::vector<std::string> args) {
    args.insert(args.begin(), "bench");
    args.insert(args.end(), {"--store", test_store()});
    args.insert(args.end(), kShort.begin(), kShort.end());
    return run_onnxop(args);
  }

  std::string digit() {
    const auto made =
        run_onnxop({"data", "images", "mnist:test", "--first", "1", "--to", dir_ / "digits"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return dir_ / "digits/00000-7.png";
  }

  TempDir dir_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

TEST_F(Bench, ImagesOverARangeOfConnections) {
  start();
  const auto outcome = bench(
      {url_ + "/api/classify_digit", "--image", digit(), "--connections", "1:4:x2", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = outcome.json();
  ASSERT_EQ(json["http"].size(), 3U);
  int connections = 1;
  for (const Json& row : json["http"]) {
    EXPECT_EQ(row["connections"], connections);
    EXPECT_EQ(row["answered"], 40);
    EXPECT_EQ(row["errors"], 0);
    EXPECT_TRUE(row["rate"].is_null());
    EXPECT_GT(row["per_second"], 0);
    EXPECT_LE(row["latency_ms"]["p50"], row["latency_ms"]["p99"]);
    connections *= 2;
  }
}

TEST_F(Bench, RandomTensorsWithTheServersShareOfTheTime) {
  start();
  const auto outcome = bench({url_ + "/v2/models/mnist", "--connections", "2", "--poll", "--json",
                              "--compare-raw", "mnist", "--batches", "1,2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = outcome.json();
  ASSERT_EQ(json["http"].size(), 1U);
  const Json& row = json["http"][0];
  EXPECT_EQ(row["answered"], 40);
  ASSERT_TRUE(row["mean_ms"].is_object()) << "the server tells where the time went";
  EXPECT_GT(row["mean_ms"]["compute_infer"], 0);
  EXPECT_GE(row["mean_ms"]["queue"], 0);
  ASSERT_GE(json["raw"].size(), 2U);
  EXPECT_EQ(json["raw"][0]["threads"], 1);
  EXPECT_EQ(json["raw"][0]["batch"], 1);
  EXPECT_EQ(json["raw"][1]["batch"], 2);
  EXPECT_GT(json["served_of_raw"], 0);
}

TEST_F(Bench, OpenLoopAsATable) {
  start();
  const auto outcome = bench({url_ + "/v2/models/mnist/infer", "--rate", "2000,4000"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("due/s"));
  EXPECT_THAT(outcome.out, HasSubstr("\n64           2000"));
  EXPECT_THAT(outcome.out, HasSubstr("\n64           4000"));
}

TEST_F(Bench, AModelInTheProcess) {
  const auto outcome = bench({"mnist", "--batches", "1:4:x2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("threads  batch  rows/s"));
  EXPECT_THAT(outcome.out, HasSubstr("\n1        4 "));
}

TEST_F(Bench, WhatIsNotServedIsAFailure) {
  start();
  const auto nothing = bench({url_ + "/nothing"});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("no request was answered with success"));
  const auto no_model = bench({url_ + "/v2/models/nobody"});
  EXPECT_EQ(no_model.exit_code, 1);
  EXPECT_THAT(no_model.err, HasSubstr("no such model"));
  const auto nobody = bench({"http://127.0.0.1:1/"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("cannot connect to 127.0.0.1 port 1"));
  EXPECT_EQ(bench({"https://127.0.0.1/"}).exit_code, 1);
}

TEST_F(Bench, OptionsThatDoNotFitAreWrongUsage) {
  const std::string url = "http://127.0.0.1:1/v2/models/x";
  EXPECT_EQ(bench({"mnist", "--connections", "4"}).exit_code, 2);
  EXPECT_EQ(bench({"mnist", "--poll"}).exit_code, 2);
  EXPECT_EQ(bench({"mnist", "--compare-raw", "mnist"}).exit_code, 2);
  EXPECT_EQ(bench({url, "--random", "--body", "x"}).exit_code, 2);
  EXPECT_EQ(bench({url, "--header", "no colon"}).exit_code, 2);
  EXPECT_EQ(bench({url, "--shape", "no colon"}).exit_code, 2);
  EXPECT_EQ(bench({url, "--percentile", "42"}).exit_code, 2);
  EXPECT_EQ(bench({}).exit_code, 2);
  EXPECT_EQ(bench({"mnist", "--batches", "0"}).exit_code, 1);
}

}  // namespace
}  // namespace onnxop::testing_support
