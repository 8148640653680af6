// The model server as a user runs it: the Open Inference Protocol, versions that come and go, and
// what must not go wrong meanwhile; asked with curl.

#include "support/model_server.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_sanitizers.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(ModelServer, SpeaksTheOpenInferenceProtocol) {
  start();
  EXPECT_EQ(curl("/v2/health/ready"), R"({"live":true,"ready":true})");
  const Json metadata = json("/v2/models/digits");
  EXPECT_EQ(metadata["inputs"][0]["shape"], Json({-1, 28, 28, 1}));
  EXPECT_EQ(metadata["versions"], Json({"1"}));
  Json request{{"id", "mine"},
               {"inputs", Json::array({{{"name", "image"},
                                        {"shape", {1, 28, 28, 1}},
                                        {"datatype", "FP32"},
                                        {"data", std::vector<int>(784, 0)}}})}};
  write_file_atomically(dir_.path() / "request.json", as_bytes(dump_json(request)));
  const Json answer =
      json("/v2/models/digits/infer", {"--data-binary", "@" + (dir_ / "request.json")});
  EXPECT_EQ(answer["id"], "mine");
  EXPECT_EQ(answer["model_version"], "1");
  EXPECT_EQ(answer["outputs"][0]["shape"], Json({1, 10}));
  double sum = 0;
  for (const Json& value : answer["outputs"][0]["data"]) {
    sum += value.get<double>();
  }
  EXPECT_NEAR(sum, 1, 1e-5);

  // The same as raw tensors, over gzip.
  request["inputs"][0].erase("data");
  request["inputs"][0]["parameters"] = {{"binary_data_size", 784 * 4}};
  const std::string header = dump_json(request);
  write_file_atomically(dir_.path() / "request.bin",
                        as_bytes(header + std::string(std::size_t{784} * 4, '\0')));
  ASSERT_EQ(run_program({"gzip", dir_ / "request.bin"}).exit_code, 0);
  const Json binary =
      json("/v2/models/digits/infer",
           {"--data-binary", "@" + (dir_ / "request.bin.gz"), "--header", "Content-Encoding: gzip",
            "--header", "Inference-Header-Content-Length: " + std::to_string(header.size())});
  EXPECT_EQ(binary["outputs"], answer["outputs"]);
  const Json statistics = json("/v2/models/digits/stats")["model_stats"][0];
  EXPECT_EQ(statistics["inference_stats"]["success"]["count"], 2);
  const std::string metrics = curl("/metrics");
  EXPECT_THAT(metrics,
              HasSubstr(R"(onnxop_requests_total{model="digits",version="1",protocol="http",)"
                        R"(status="200"} 2)"));
  EXPECT_THAT(metrics, HasSubstr("\nonnxop_run_memory_bytes{state=\"used\"} 0\n"));
}

TEST_F(ModelServer, SeveralFilesAreAnsweredInOrder) {
  start();
  const Json answer = json("/api/models/digits/versions/1/classify",
                           {"--form", "a=@" + digit_, "--form", "b=@" + digit_});
  ASSERT_EQ(answer["predictions"].size(), 2U);
  EXPECT_EQ(answer["predictions"][0], answer["predictions"][1]);
}

TEST_F(ModelServer, VersionsAreReplacedUnderLoadWithoutAFailedRequest) {
  start();
  std::atomic<bool> enough{false};
  std::string failed;
  std::thread load([&] {
    while (!enough) {
      std::istringstream lines(statuses(200));
      for (std::string line; std::getline(lines, line);) {
        if (line != "200") {
          failed += line + " ";
        }
      }
    }
  });
  for (int next = 2; next <= 101; ++next) {
    put(next);
    wait_for_version(next);
    fs::remove_all(dir_.path() / "models" / "digits" / std::to_string(next - 1));
  }
  enough = true;
  load.join();
  EXPECT_EQ(failed, "");
}

TEST_F(ModelServer, ABrokenVersionIsReportedAndTheOldOneServes) {
  start();
  const fs::path broken = dir_.path() / "models" / "digits" / "2";
  fs::create_directories(broken);
  const Bytes whole = read_file(model_file());
  write_file_atomically(broken / "model.onnx", std::span(whole).first(whole.size() / 2));
  fs::last_write_time(broken / "model.onnx",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  // Whoever asks for it to be loaded waits until it was looked at.
  curl("/v2/repository/models/digits/load", {"--data-binary", "{}"});
  const Json index = json("/v2/repository/index", {"--data-binary", "{}"});
  ASSERT_EQ(index.size(), 2U);
  EXPECT_EQ(index[0]["state"], "READY");
  EXPECT_EQ(index[1]["state"], "UNAVAILABLE");
  EXPECT_THAT(index[1]["reason"].get<std::string>(), HasSubstr("truncated"));
  EXPECT_EQ(version(), 1);
}

TEST_F(ModelServer, KilledUnderLoadItIsBackAtOnce) {
  start();
  std::thread load([&] {
    run_program({"curl", "--silent", "--max-time", "60", "--output", "/dev/null", "--data-binary",
                 "@" + digit_, url_ + "/api/models/digits/classify?number=[1-2000]"});
  });
  wait_for_version(1);
  server_->signal(SIGKILL);
  EXPECT_EQ(server_->wait().exit_code, 128 + SIGKILL);
  load.join();
  start();
  EXPECT_EQ(version(), 1);
}

TEST_F(ModelServer, WrongOptionsAreRefused) {
  for (const auto& options : std::vector<std::vector<std::string>>{
           {"--version-policy", "newest"}, {"--max-queue", "0"}, {"--max-batch", "-1"}}) {
    std::vector<std::string> args{"serve", "--models", dir_ / "models"};
    args.insert(args.end(), options.begin(), options.end());
    EXPECT_EQ(run_onnxop(args).exit_code, 2) << options[0];
  }
  const auto outcome = run_onnxop({"serve", "--models", dir_ / "nothing"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("there is no such folder"));
}

}  // namespace
}  // namespace onnxop::testing_support
