// The service as a user runs it: the built program, asked with curl.

#include <csignal>
#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

struct Answer {
  int status = 0;
  std::string headers;
  std::string body;
};

class Serve : public testing::Test {
 protected:
  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> args{"serve", "--store",     test_store(), "--port",
                                  "0",     "--port-file", dir_ / "port"};
    args.insert(args.end(), more.begin(), more.end());
    server_ = std::make_unique<BackgroundProgram>(args);
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  Answer curl(const std::string& path, const std::vector<std::string>& options = {}) {
    std::vector<std::string> argv{"curl",        "--silent",      "--show-error",   "--max-time",
                                  "30",          "--dump-header", dir_ / "headers", "--output",
                                  dir_ / "body", "--write-out",   "%{http_code}",   url_ + path};
    argv.insert(argv.end(), options.begin(), options.end());
    write_file_atomically(dir_.path() / "body", {});
    const auto outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return {std::stoi(outcome.out), read_text_file(dir_.path() / "headers"),
            read_text_file(dir_.path() / "body")};
  }

  Answer post(const std::string& path, const std::string& file) {
    return curl(path, {"--data-binary", "@" + file, "--header", "Content-Type: image/png"});
  }

  std::string digits(int count) {
    const auto outcome = run_onnxop({"data", "images", "mnist:test", "--first",
                                     std::to_string(count), "--to", dir_ / "digits"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return dir_ / "digits/";
  }

  TempDir dir_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

TEST_F(Serve, ClassifiesADigit) {
  start();
  const auto answer = post("/api/classify_digit", digits(1) + "00000-7.png");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.headers, HasSubstr("application/json"));
  const Json json = parse_json(answer.body, "answer");
  ASSERT_EQ(json["prediction"][0][0].size(), 10U);
  EXPECT_EQ(json["label"], "7");
  EXPECT_EQ(json["confidence"], json["prediction"][0][0][7]);
  EXPECT_EQ(json["model"], "mnist");
  EXPECT_EQ(json["version"], 1);

  const auto score = run_onnxop(
      {"score", "mnist", dir_ / "digits/00000-7.png", "--json", "--store", test_store()});
  EXPECT_EQ(score.json()["results"][0]["probabilities"], json["prediction"][0][0])
      << "served as scored";
}

TEST_F(Serve, EveryImageFormatIsTheSamePicture) {
  start();
  const std::string png = digits(1) + "00000-7.png";
  ASSERT_EQ(run_program({"cwebp", "-quiet", "-lossless", png, "-o", dir_ / "d.webp"}).exit_code, 0);
  ASSERT_EQ(
      run_program({"dwebp", "-quiet", dir_ / "d.webp", "-bmp", "-o", dir_ / "d.bmp"}).exit_code, 0);
  ASSERT_EQ(
      run_program({"dwebp", "-quiet", dir_ / "d.webp", "-ppm", "-o", dir_ / "d.ppm"}).exit_code, 0);
  const Json expected = parse_json(post("/api/classify_digit", png).body, "answer");
  for (const std::string name : {"d.webp", "d.bmp", "d.ppm"}) {
    const auto answer = post("/api/classify_digit", dir_ / name);
    ASSERT_EQ(answer.status, 200) << name << answer.body;
    EXPECT_EQ(parse_json(answer.body, "answer")["prediction"], expected["prediction"]) << name;
  }
}

TEST_F(Serve, BadInputGetsA4xxThatSaysWhatWasExpected) {
  start({"--max-body-bytes", "100000"});
  const std::string png = read_text_file(digits(1) + "00000-7.png");
  write_file_atomically(dir_.path() / "empty", {});
  write_file_atomically(dir_.path() / "text", as_bytes("hello"));
  write_file_atomically(dir_.path() / "cut.png",
                        as_bytes(std::string_view(png).substr(0, png.size() - 40)));
  write_file_atomically(dir_.path() / "large", as_bytes(std::string(100'001, 'x')));
  const std::vector<std::pair<std::string, int>> cases{
      {"empty", 400}, {"text", 400}, {"cut.png", 400}, {"large", 413}};
  for (const auto& [name, status] : cases) {
    const auto answer = post("/api/classify_digit", dir_ / name);
    EXPECT_EQ(answer.status, status) << name << answer.body;
    EXPECT_TRUE(parse_json(answer.body, "answer")["error"].is_string()) << name;
  }
  EXPECT_EQ(curl("/api/nothing_here", {"--data", "x"}).status, 404);
  const auto method = curl("/api/classify_digit");
  EXPECT_EQ(method.status, 405);
  EXPECT_THAT(method.headers, HasSubstr("Allow: POST"));
  EXPECT_EQ(curl("/health/live").status, 200) << "and the server lives on";
}

TEST_F(Serve, PagesHealthAndDescriptions) {
  start({"--route", "digit=mnist", "--route", "classify_digit=mnist:1"});
  EXPECT_EQ(curl("/health/live").status, 200);
  EXPECT_EQ(curl("/health/ready").status, 200);
  const auto page = curl("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("curl"));
  EXPECT_THAT(page.body, HasSubstr("/api/digit"));
  const Json models = parse_json(curl("/api/models").body, "models");
  EXPECT_EQ(models["models"][0]["name"], "mnist");
  const Json openapi = parse_json(curl("/openapi.json").body, "openapi");
  EXPECT_TRUE(openapi["openapi"].get<std::string>().starts_with("3."));
  EXPECT_TRUE(openapi["paths"].contains("/api/digit"));
  EXPECT_TRUE(openapi["paths"]["/api/classify_digit"].contains("post"));
  EXPECT_EQ(post("/api/digit", digits(1) + "00000-7.png").status, 200);
}

TEST_F(Serve, TheCurlLineOfThePageWorks) {
  start();
  std::string body = curl("/").body;
  const auto from = body.find("curl ");
  ASSERT_NE(from, std::string::npos);
  const auto to = body.find("</", from);
  std::string line = body.substr(from, to - from);
  const auto at = line.find('@');
  ASSERT_NE(at, std::string::npos) << line;
  auto file_end = line.find_first_of(" \n'\"&", at);
  file_end = file_end == std::string::npos ? line.size() : file_end;
  line.replace(at + 1, file_end - at - 1, digits(1) + "00000-7.png");
  const auto outcome = run_program({"sh", "-c", line});
  EXPECT_EQ(parse_json(outcome.out, line)["label"], "7") << line;
}

TEST_F(Serve, SigtermAndSigintEndWithExitCode0) {
  for (const int signal : {SIGTERM, SIGINT}) {
    start({"--drain-seconds", "0"});
    EXPECT_EQ(curl("/health/ready").status, 200);
    server_->signal(signal);
    EXPECT_EQ(server_->wait().exit_code, 0);
    std::filesystem::remove(dir_.path() / "port");
  }
}

TEST_F(Serve, SigtermTakesReadinessDownAndGoesOnServing) {
  start({"--drain-seconds", "3600"});
  EXPECT_EQ(curl("/health/ready").status, 200);
  server_->signal(SIGTERM);
  while (curl("/health/ready").status == 200) {
  }
  EXPECT_EQ(curl("/health/ready").status, 503);
  EXPECT_EQ(post("/api/classify_digit", digits(1) + "00000-7.png").status, 200);
  server_->signal(SIGTERM);
  EXPECT_EQ(server_->wait().exit_code, 0);
}

TEST_F(Serve, LogsEachRequestAsOneJsonLine) {
  start();
  post("/api/classify_digit", digits(1) + "00000-7.png");
  server_->signal(SIGINT);
  const auto outcome = server_->wait();
  std::istringstream lines(outcome.err);
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    const Json entry = parse_json(line, "log line");
    if (entry.contains("path") && entry["path"] == "/api/classify_digit") {
      found = true;
      EXPECT_EQ(entry["method"], "POST");
      EXPECT_EQ(entry["status"], 200);
      EXPECT_EQ(entry["model"], "mnist");
      EXPECT_EQ(entry["version"], 1);
      EXPECT_TRUE(entry["milliseconds"].is_number());
      EXPECT_GT(entry["bytes"].get<int>(), 0);
    }
  }
  EXPECT_TRUE(found) << outcome.err;
}

TEST_F(Serve, ATraceIsLoggedAndReturnedAndSlowRequestsAreSplit) {
  start({"--slow-request-ms", "0.000001"});
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const auto answer = run_program(
      {"curl", "--silent", "--max-time", "30", "--dump-header", "-", "--header",
       "traceparent: 00-" + trace + "-b7ad6b7169203331-01", "--data-binary",
       "@" + digits(1) + "00000-7.png",
       "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port") + "/api/classify_digit"});
  EXPECT_THAT(answer.out, HasSubstr("traceparent: 00-" + trace + "-"));
  server_->signal(SIGINT);
  std::istringstream lines(server_->wait().err);
  int found = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json entry = parse_json(line, "log line");
    if (entry.contains("trace_id")) {
      ++found;
      EXPECT_EQ(entry["trace_id"], trace);
      EXPECT_EQ(entry["parent_id"], "b7ad6b7169203331");
    }
    if (entry["message"] == "slow request") {
      ++found;
      EXPECT_GT(entry["compute_ms"].get<double>(), 0);
      EXPECT_GT(entry["decode_ms"].get<double>(), 0);
      EXPECT_GE(entry["milliseconds"].get<double>(), entry["compute_ms"].get<double>());
    }
  }
  EXPECT_EQ(found, 3) << "the access line, and the slow line with its trace";
}

TEST_F(Serve, LooksForTheNextRequestForAsLongAsItIsTold) {
  const std::string digit = digits(1) + "00000-7.png";
  for (const std::string microseconds : {"0", "5000"}) {
    start({"--spin-us", microseconds});
    // One after the other on one connection, as close together as they can be.
    std::vector<std::string> argv{"curl", "--silent", "--fail", "--max-time", "60"};
    for (int i = 0; i < 50; ++i) {
      argv.insert(argv.end(),
                  {"--data-binary", "@" + digit, url_ + "/api/classify_digit", "--next"});
    }
    argv.push_back(url_ + "/health/live");
    const Outcome outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << microseconds << outcome.err;
    const std::string answer = R"("label":"7")";
    std::size_t answers = 0;
    for (auto at = outcome.out.find(answer); at != std::string::npos;
         at = outcome.out.find(answer, at + 1)) {
      ++answers;
    }
    EXPECT_EQ(answers, 50U) << microseconds << outcome.out;
    server_->signal(SIGINT);
    EXPECT_EQ(server_->wait().exit_code, 0) << microseconds;
    std::filesystem::remove(dir_.path() / "port");
  }
  for (const std::string bad : {"-1", "100001", "soon"}) {
    const Outcome outcome =
        run_onnxop({"serve", "--store", test_store(), "--port", "0", "--spin-us", bad});
    EXPECT_EQ(outcome.exit_code, 2) << bad;
    EXPECT_THAT(outcome.err, HasSubstr("--spin-us"));
    EXPECT_THAT(outcome.err, HasSubstr(bad));
  }
}

TEST_F(Serve, AMissingStoreOrModelIsAClearError) {
  const auto no_store =
      run_onnxop({"serve", "--no-tracking", "--store", dir_ / "none", "--port", "0"});
  EXPECT_EQ(no_store.exit_code, 1);
  EXPECT_THAT(no_store.err, HasSubstr("none"));
  const auto no_model =
      run_onnxop({"serve", "--store", test_store(), "--port", "0", "--route", "x=nothing"});
  EXPECT_EQ(no_model.exit_code, 1);
  EXPECT_THAT(no_model.err, HasSubstr("nothing"));
  EXPECT_EQ(run_onnxop({"serve", "--store", test_store(), "--route", "no-equals-sign"}).exit_code,
            2);
}

}  // namespace
}  // namespace onnxop::testing_support
