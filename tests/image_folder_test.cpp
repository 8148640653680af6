// Somebody's own pictures, from a folder to a service: trained, registered, scored, served.

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::array<const char*, 10> kNames{"zero", "one", "two",   "three", "four",
                                             "five", "six", "seven", "eight", "nine"};

constexpr std::string_view kSpec = R"(
name: pictures
data: {kind: folder, train: train, test: test, validation: 50}
input: {width: 20, height: 20}
layers:
  - Conv2D: {filters: 8, kernel_size: 5, strides: 2, activation: relu}
  - Flatten
  - Dense: {units: 32, activation: relu}
  - Dense: {units: 10, activation: softmax}
train: {epochs: 4, batch_size: 20, optimizer: {Adam: {learning_rate: 0.005}}}
)";

class ImageFolder : public testing::Test {
 protected:
  /// The first digits of MNIST as pictures: DIR/seven/00000-7.png.
  void write_pictures(const std::string& dataset, int count, const std::string& to) const {
    const auto written = run_onnxop({"data", "images", dataset, "--first", std::to_string(count),
                                     "--to", dir_ / "flat", "--json"});
    ASSERT_EQ(written.exit_code, 0) << written.err;
    const Json files = written.json()["files"];
    ASSERT_EQ(files.size(), static_cast<std::size_t>(count));
    for (const auto& file : files) {
      const fs::path from = file["path"].get<std::string>();
      const fs::path folder =
          dir_.path() / to / kNames.at(std::stoul(file["label"].get<std::string>()));
      fs::create_directories(folder);
      fs::rename(from, folder / from.filename());
    }
  }

  Outcome run(std::vector<std::string> args) const {
    args.insert(args.end(), {"--store", dir_ / "store"});
    return run_onnxop(args);
  }

  TempDir dir_;
};

TEST_F(ImageFolder, IsTrainedRegisteredScoredAndServed) {
  write_pictures("mnist:train", 600, "train");
  write_pictures("mnist:test", 100, "test");
  write_file_atomically(dir_.path() / "pictures.yaml", as_bytes(kSpec));

  const auto trained = run({"train", dir_ / "pictures.yaml", "--register", "pictures", "--json"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(trained.json()["version"], 1);
  EXPECT_GT(trained.json()["test_accuracy"].get<double>(), 0.6);

  const auto evaluated = run({"eval", "pictures", "--data", "folder:" + (dir_ / "test"), "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_EQ(evaluated.json()["accuracy"], trained.json()["test_accuracy"]);

  const std::string seven = dir_ / "test/seven/00000-7.png";
  const auto scored = run({"score", "pictures", seven, "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const Json score = scored.json()["results"][0];
  EXPECT_EQ(score["label"], "seven");

  BackgroundProgram server({"serve", "--store", dir_ / "store", "--port", "0", "--port-file",
                            dir_ / "port", "--route", "read_picture=pictures"});
  const std::string url = "http://127.0.0.1:" + server.wait_for_file(dir_ / "port");
  const auto answered =
      run_program({"curl", "--silent", "--show-error", "--fail", "--max-time", "30",
                   "--data-binary", "@" + seven, url + "/api/read_picture"});
  ASSERT_EQ(answered.exit_code, 0) << answered.err;
  const Json answer = answered.json();
  EXPECT_EQ(answer["label"], "seven");
  EXPECT_EQ(answer["model"], "pictures");
  EXPECT_EQ(answer["prediction"][0][0], score["probabilities"]);
  server.signal(SIGINT);
  EXPECT_EQ(server.wait().exit_code, 0);
}

TEST_F(ImageFolder, WritesItsPicturesAsTheyAre) {
  write_pictures("mnist:test", 3, "test");
  const auto written =
      run_onnxop({"data", "images", "folder:" + (dir_ / "test"), "--to", dir_ / "out", "--json"});
  ASSERT_EQ(written.exit_code, 0) << written.err;
  const Json files = written.json()["files"];
  ASSERT_EQ(files.size(), 3U);  // classes in the order of their names: one, seven, two
  EXPECT_EQ(files[1]["label"], "seven");
  EXPECT_EQ(fs::path(files[1]["path"].get<std::string>()).filename(), "00001-seven.png");
  EXPECT_EQ(read_file(files[1]["path"].get<std::string>()),
            read_file(dir_.path() / "test/seven/00000-7.png"));
}

TEST_F(ImageFolder, PicturesNeedAFolderThatCanBeMade) {
  const auto outcome = run_onnxop({"data", "images", "mnist:test", "--to", "/dev/null"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/dev/null: the folder cannot be made"));
}

TEST_F(ImageFolder, ADamagedPictureEndsTheTrainingBeforeItBegins) {
  write_pictures("mnist:train", 60, "train");
  write_pictures("mnist:test", 30, "test");
  write_file_atomically(dir_.path() / "pictures.yaml", as_bytes(kSpec));
  write_file_atomically(dir_.path() / "train/seven/broken.png", as_bytes("no picture"));
  const auto outcome = run({"train", dir_ / "pictures.yaml", "--set", "data.validation=10"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("train/seven/broken.png"));
}

}  // namespace
}  // namespace onnxop::testing_support
