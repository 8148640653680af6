#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "onnxop/base/file.h"
#include "onnxop/registry/test_models.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ModelVersionsTest : public ModelStoreTest {
 protected:
  std::vector<std::string> stages() const {  // by version
    std::vector<std::string> result;
    for (const auto& version : models_.versions("m")) {
      result.insert(result.begin(), version.stage);
    }
    return result;
  }
};
ONNXOP_ON_EACH_STORE(ModelVersionsTest);

TEST_P(ModelVersionsTest, WhatIsNotThereIsAnsweredWithWhatIs) {
  models_.create("m");
  EXPECT_THAT(catch_error([&] { models_.version("m", 7); }).message,
              HasSubstr("has no version 7: it has none yet"));
  add("m");
  add("m");
  const auto caught = catch_error([&] { models_.version("m", 7); });
  EXPECT_EQ(caught.code, ErrorCode::kNotFound);
  EXPECT_THAT(caught.message, HasSubstr("has no version 7; there are: 2, 1"));
  EXPECT_EQ(catch_error([&] { models_.version("m", 0); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { models_.files("m", 3); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { models_.remove_version("m", 3); }).code, ErrorCode::kNotFound);
}

TEST_P(ModelVersionsTest, NotesTagsAndMetricsChange) {
  add("m");
  add("m");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(models_.describe_version("m", 1, "notes").description, "notes");
  EXPECT_EQ(models_.version("m", 1).updated_ms, 1'700'000'001'000);
  EXPECT_EQ(models_.version("m", 2).updated_ms, 1'700'000'000'000);
  models_.set_version_tag("m", 1, "a", "1");
  models_.set_version_tag("m", 1, "a", "2");
  models_.set_version_tag("m", 1, "b", "3");
  models_.delete_version_tag("m", 1, "b");
  models_.delete_version_tag("m", 1, "b");
  EXPECT_THAT(models_.version("m", 1).tags, ElementsAre(Pair("a", "2")));
  EXPECT_THAT(models_.version("m", 2).tags, IsEmpty());
  models_.log_version_metrics("m", 1, {{"accuracy", 0.5}, {"latency_ms", 2}});
  models_.log_version_metrics("m", 1, {{"accuracy", 0.75}});
  EXPECT_THAT(models_.version("m", 1).metrics,
              ElementsAre(Pair("accuracy", 0.75), Pair("latency_ms", 2)));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  models_.log_version_metrics("m", 1, {{"accuracy", std::nan("")}, {"latency_ms", -kInfinity}});
  EXPECT_TRUE(std::isnan(models_.version("m", 1).metrics.at("accuracy")));
  EXPECT_EQ(models_.version("m", 1).metrics.at("latency_ms"), -kInfinity);
  models_.log_version_metrics("m", 1, {{"accuracy", 0.1}});
  EXPECT_EQ(models_.version("m", 1).metrics.at("accuracy"), 0.1);
  EXPECT_EQ(catch_error([&] { models_.set_version_tag("m", 1, "", "x"); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] {
              models_.log_version_metrics("m", 1, {{"", 1}});
            }).code,
            ErrorCode::kInvalidArgument);
}

TEST_P(ModelVersionsTest, Stages) {
  add("m");
  add("m");
  add("m");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(models_.set_stage("m", 1, "production", false).stage, "Production");
  EXPECT_EQ(models_.version("m", 1).updated_ms, 1'700'000'001'000);
  models_.set_stage("m", 2, "Staging", false);
  models_.set_stage("m", 3, "Production", false);
  EXPECT_THAT(stages(), ElementsAre("Production", "Staging", "Production"));
  models_.set_stage("m", 2, "Production", true);
  EXPECT_THAT(stages(), ElementsAre("Archived", "Production", "Archived"));
  models_.set_stage("m", 2, "Production", true);  // again: it is not archived itself
  EXPECT_THAT(stages(), ElementsAre("Archived", "Production", "Archived"));
  models_.set_stage("m", 3, "None", false);
  EXPECT_THAT(stages(), ElementsAre("Archived", "Production", "None"));
  for (const char* stage : {"None", "Archived", "archived"}) {
    EXPECT_EQ(catch_error([&] { models_.set_stage("m", 1, stage, true); }).code,
              ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(catch_error([&] { models_.set_stage("m", 1, "Live", false); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { models_.set_stage("m", 9, "Staging", false); }).code,
            ErrorCode::kNotFound);
}

TEST_P(ModelVersionsTest, TheNewestOfEachStage) {
  for (int i = 0; i < 5; ++i) {
    add("m");
  }
  models_.set_stage("m", 1, "Production", false);
  models_.set_stage("m", 3, "Production", false);
  models_.set_stage("m", 4, "Staging", false);
  const auto numbers = [&](const std::vector<std::string>& wanted) {
    std::vector<std::int64_t> result;
    for (const auto& version : models_.latest_versions("m", wanted)) {
      result.push_back(version.version);
    }
    return result;
  };
  EXPECT_THAT(numbers({}), ElementsAre(5, 4, 3));
  EXPECT_THAT(numbers({"production"}), ElementsAre(3));
  EXPECT_THAT(numbers({"None", "Archived"}), ElementsAre(5));
  EXPECT_EQ(catch_error([&] { models_.latest_versions("m", {"x"}); }).code,
            ErrorCode::kInvalidArgument);
}

TEST_P(ModelVersionsTest, ARemovedVersionTakesItsFilesAndAliasesAlong) {
  const auto version = add("m", "one");
  add("m", "two");
  models_.set_alias("m", "champion", 1);
  models_.set_alias("m", "other", 2);
  models_.set_version_tag("m", 1, "k", "v");
  models_.log_version_metrics("m", 1, {{"accuracy", 1}});
  models_.remove_version("m", 1);
  EXPECT_FALSE(fs::exists(version.model_path.parent_path()));
  EXPECT_EQ(catch_error([&] { models_.version("m", 1); }).code, ErrorCode::kNotFound);
  EXPECT_THAT(models_.get("m").aliases, ElementsAre(Pair("other", 2)));
  EXPECT_EQ(count("claims"), 0);
  models_.verify(models_.version("m", 2));
  models_.remove_version("m", 2);
  EXPECT_EQ(models_.get("m").latest_version, 0);
}

TEST_P(ModelVersionsTest, VerifyFindsWhatChanged) {
  const auto file = write("in/net.onnx", "graph");
  write("in/w", "weights");
  const auto version = models_.publish({.name = "m", .model_file = file, .companions = {"w"}});
  models_.verify(version);

  const auto change = [&](const std::string& path, std::string_view content) {
    const auto target = version.model_path.parent_path() / path;
    fs::permissions(target, fs::perms::owner_all);
    std::ofstream(target, std::ios::binary) << content;
  };
  const auto expect_loss = [&](const std::string& what) {
    const auto caught = catch_error([&] { models_.verify(version); });
    EXPECT_EQ(caught.code, ErrorCode::kDataLoss);
    EXPECT_THAT(caught.message, HasSubstr(what));
  };
  change("w", "weightz");
  expect_loss("models/m/1/w: its SHA-256 is");
  change("w", "weig");
  expect_loss("4 bytes, but 7 were published");
  change("w", "weights");
  models_.verify(version);
  fs::remove(version.model_path);
  expect_loss("model.onnx: a published file is missing");
}

}  // namespace
}  // namespace onnxop
