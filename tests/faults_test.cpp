// Faults that a server must survive, in the real program.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/onnx/test_models.h"
#include "support/model_server.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

class Faults : public ModelServer {
 protected:
  /// A version of the model `picker`: index int64 [N] -> value float32 [N], of three values, so
  /// that an index from 3 on fails when it runs.
  void put_picker(int version) const {
    using namespace testing_models;
    Model model;
    model.graph.name = "picker";
    model.graph.initializers.push_back(weights("values", {3}));
    model.graph.nodes.push_back(node("Gather", {"values", "index"}, {"value"}));
    model.graph.inputs.push_back(value("index", {{-1, "N"}}, DType::kInt64));
    model.graph.outputs.push_back(value("value", {{-1, "N"}}));
    put_file("picker", version, serialize_model(model));
  }

  /// `age`: how long ago the file says it was written.
  void put_file(const std::string& model, int version, const Bytes& bytes,
                std::chrono::hours age = std::chrono::hours(1)) const {
    const fs::path folder = dir_.path() / "models" / model / std::to_string(version);
    fs::create_directories(folder);
    write_file_atomically(folder / "staged", bytes);
    fs::last_write_time(folder / "staged", fs::file_time_type::clock::now() - age);
    fs::rename(folder / "staged", folder / "model.onnx");
  }

  std::string pick_body(int index) const {
    const fs::path file = dir_.path() / ("pick" + std::to_string(index));
    write_file_atomically(file,
                          as_bytes(dump_json({{"inputs", Json::array({{{"name", "index"},
                                                                       {"shape", {1}},
                                                                       {"datatype", "INT64"},
                                                                       {"data", {index}}}})}})));
    return "@" + file.string();
  }

  /// Of `count` requests on one connection.
  std::vector<std::string> pick_statuses(int index, int count) const {
    return lines_of(curl("/v2/models/picker/infer?number=[1-" + std::to_string(count) + "]",
                         {"--output", "/dev/null", "--write-out", "%{http_code}\n", "--data-binary",
                          pick_body(index)}));
  }

  static Json models_in(const std::string& store) {
    return run_onnxop({"models", "mnist", "--json", "--store", store}).json();
  }
};

TEST_F(Faults, KilledUnderLoadNothingIsLostInTheStore) {
  const std::string store = dir_ / "store";
  fs::copy(test_store(), store, fs::copy_options::recursive);
  const auto serve = [&] {
    fs::remove(dir_ / "port");
    const auto begin = std::chrono::steady_clock::now();
    server_ = std::make_unique<BackgroundProgram>(std::vector<std::string>{
        "serve", "--store", store, "--port", "0", "--port-file", dir_ / "port"});
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
    EXPECT_EQ(json("/v2/health/ready")["ready"], true);
    const auto took = std::chrono::steady_clock::now() - begin;
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  };
  const auto answering = [&] {
    return json("/api/classify_digit", {"--data-binary", "@" + digit_})["version"].get<int>();
  };
  serve();
  std::thread load([&] {
    run_program({"curl", "--silent", "--max-time", "60", "--output", "/dev/null", "--data-binary",
                 "@" + digit_, url_ + "/api/classify_digit?number=[1-2000]"});
  });
  EXPECT_EQ(answering(), 1);
  const auto imported =
      run_onnxop({"import", model_file().string(), "--name", "mnist", "--store", store});
  EXPECT_EQ(imported.exit_code, 0) << imported.err;
  // While the server takes in the new version.
  server_->signal(SIGKILL);
  EXPECT_EQ(server_->wait().exit_code, 128 + SIGKILL);
  load.join();
  const Json kept = models_in(store);
  EXPECT_EQ(kept["versions"].size(), 2U);
  RecordProperty("ready_milliseconds", serve());
  EXPECT_EQ(models_in(store), kept);
  EXPECT_EQ(answering(), 2);
}

TEST_F(Faults, AVersionThatFailsInUseFailsItsOwnRequestsOnly) {
  put_picker(1);
  start();
  std::vector<std::string> wrong;
  std::thread others([&] { wrong = pick_statuses(7, 100); });
  std::vector<std::string> digits;
  std::thread other_model([&] { digits = lines_of(statuses(100)); });
  const std::vector<std::string> right = pick_statuses(2, 300);
  others.join();
  other_model.join();
  EXPECT_THAT(right, Each("200"));
  EXPECT_THAT(digits, Each("200"));
  EXPECT_THAT(wrong, Each("400"));
  EXPECT_EQ(right.size() + wrong.size() + digits.size(), 500U);
  const Json statistics = json("/v2/models/picker/stats")["model_stats"][0]["inference_stats"];
  EXPECT_EQ(statistics["success"]["count"], 300);
  EXPECT_EQ(statistics["fail"]["count"], 100);
}

TEST_F(Faults, BrokenFilesNeverTakeOverAndSayWhy) {
  put_picker(1);
  const Bytes whole = read_file(dir_.path() / "models" / "picker" / "1" / "model.onnx");
  Bytes garbled = whole;
  std::fill(garbled.begin() + 4, garbled.end(), std::byte{0xAB});
  put_file("picker", 2, garbled);
  put_file("picker", 3, Bytes(whole.begin(), whole.end() - 5));
  put_file("picker", 4, {});
  start();
  curl("/v2/repository/models/picker/load", {"--data-binary", "{}"});
  std::vector<std::string> states;
  for (const Json& each : json("/v2/repository/index", {"--data-binary", "{}"})) {
    if (each["name"] == "picker" && each["version"] != "1") {
      states.push_back(each["state"]);
      EXPECT_NE(each["reason"], "");
    }
  }
  EXPECT_THAT(states, Each("UNAVAILABLE"));
  EXPECT_FALSE(states.empty());
  EXPECT_THAT(pick_statuses(0, 3), Each("200"));
}

/// A clock that was set back shows in files: those of before are of times to come.
TEST_F(Faults, TheClockSetBackKeepsNoVersionFromBeingServed) {
  put_picker(1);
  const Bytes model = read_file(dir_.path() / "models" / "picker" / "1" / "model.onnx");
  put_file("picker", 2, model, std::chrono::hours(-24));
  start();
  const auto answering = [&] {
    return json("/v2/models/picker/infer", {"--data-binary", pick_body(1)})["model_version"];
  };
  EXPECT_EQ(answering(), "2");
  put_file("picker", 3, model, std::chrono::hours(-48));
  curl("/v2/repository/models/picker/load", {"--data-binary", "{}"});
  EXPECT_EQ(answering(), "3");
  EXPECT_THAT(pick_statuses(0, 3), Each("200"));
}

TEST_F(Faults, BusyProcessorsOnlyMakeItSlow) {
  start();
  std::atomic<bool> enough{false};
  std::vector<std::thread> spinners;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    spinners.emplace_back([&] {
      while (!enough) {
      }
    });
  }
  const std::vector<std::string> answers = lines_of(statuses(100));
  enough = true;
  for (std::thread& each : spinners) {
    each.join();
  }
  EXPECT_EQ(answers.size(), 100U);
  EXPECT_THAT(answers, Each("200"));
}

TEST_F(Faults, AFullDiskLeavesNoHalfVersion) {
  fs::create_directory(dir_ / "disk");
  const auto outcome =
      run_with_own_mounts({(source_dir() / "tests/support/full_disk").string(), program_path(),
                           test_store(), model_file().string(), dir_ / "disk"});
  if (outcome.exit_code == 77) {
    GTEST_SKIP() << "no file system can be mounted here: " << outcome.err;
  }
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("No space left on device"));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("cannot write: Input/output error")));
  EXPECT_THAT(outcome.out, testing::ContainsRegex("refused [3-5] of 6"));
}

}  // namespace
}  // namespace onnxop::testing_support
