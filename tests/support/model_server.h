#pragma once
// The server of a folder of models, as a user runs it, asked with curl.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {

/// A folder with version 1 of the model `digits`, the store's; the server is not started yet.
class ModelServer : public testing::Test {
 protected:
  ModelServer() {
    put(1);
    const auto outcome =
        run_onnxop({"data", "images", "mnist:test", "--first", "1", "--to", dir_ / "digits"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    digit_ = std::filesystem::directory_iterator(dir_ / "digits")->path().string();
  }

  std::filesystem::path model_file() const {
    return std::filesystem::path(test_store()) / "models" / "mnist" / "1" / "model.onnx";
  }

  /// The version appears by one rename, settled long ago.
  void put(int version) {
    const std::filesystem::path staged = dir_.path() / ("staged" + std::to_string(version));
    std::filesystem::create_directories(staged);
    std::filesystem::copy_file(model_file(), staged / "model.onnx");
    std::filesystem::last_write_time(
        staged / "model.onnx",
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    std::filesystem::create_directories(dir_.path() / "models" / "digits");
    std::filesystem::rename(staged, dir_.path() / "models" / "digits" / std::to_string(version));
  }

  void start(const std::vector<std::string>& more = {}) {
    std::filesystem::remove(dir_ / "port");
    std::vector<std::string> args{"serve",    "--store",       dir_ / "no-store",
                                  "--models", dir_ / "models", "--port",
                                  "0",        "--port-file",   dir_ / "port"};
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
  Json json(const std::string& path, const std::vector<std::string>& options = {}) const {
    return parse_json(curl(path, options), path);
  }
  std::int64_t version() const {
    return json("/api/models/digits/classify", {"--data-binary", "@" + digit_})["version"];
  }
  /// Asks until that version answers.
  void wait_for_version(std::int64_t expected) const {
    for (int i = 0; i < 3000 && version() != expected; ++i) {
    }
    EXPECT_EQ(version(), expected);
  }
  /// Of each of `count` requests on one connection.
  std::string statuses(int count) const {
    return curl(
        "/api/models/digits/classify?number=[1-" + std::to_string(count) + "]",
        {"--output", "/dev/null", "--write-out", "%{http_code}\n", "--data-binary", "@" + digit_});
  }

  TempDir dir_;
  std::string digit_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

}  // namespace onnxop::testing_support
