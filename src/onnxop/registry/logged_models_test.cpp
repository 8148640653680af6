#include "onnxop/registry/logged_models.h"

#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Pair;

class LoggedModelsTest : public EachRegistryTest {
 protected:
  LoggedModel create(const std::string& name = "digits") {
    LoggedModel model;
    model.name = name;
    return models_.create(model);
  }

  LoggedModels& models_ = registry_.logged_models();
};
ONNXOP_ON_EACH_STORE(LoggedModelsTest);

TEST_P(LoggedModelsTest, OneIsMadePending) {
  const auto run = registry_.runs().create({});
  LoggedModel wanted;
  wanted.name = "digits";
  wanted.source_run_id = run;
  wanted.model_type = "onnx";
  wanted.status = "LOGGED_MODEL_READY";  // not its maker's to say
  wanted.params = {{"lr", "0.1"}};
  wanted.tags = {{"stage", "first"}};
  const auto made = models_.create(wanted);
  EXPECT_THAT(made.model_id, MatchesRegex("m-[0-9a-f]{32}"));
  for (const auto& model : {made, models_.get(made.model_id)}) {
    EXPECT_EQ(model.model_id, made.model_id);
    EXPECT_EQ(model.experiment_id, kDefaultExperiment);
    EXPECT_EQ(model.name, "digits");
    EXPECT_EQ(model.source_run_id, run);
    EXPECT_EQ(model.status, "LOGGED_MODEL_PENDING");
    EXPECT_EQ(model.model_type, "onnx");
    EXPECT_EQ(model.created_ms, 1'700'000'000'000);
    EXPECT_EQ(model.updated_ms, 1'700'000'000'000);
    EXPECT_THAT(model.params, ElementsAre(Pair("lr", "0.1")));
    EXPECT_THAT(model.tags, ElementsAre(Pair("stage", "first")));
    EXPECT_THAT(model.metrics, IsEmpty());
  }
  EXPECT_EQ(logged_model_artifact_root(made), "0/models/" + made.model_id + "/artifacts");
  EXPECT_THAT(create("").name, MatchesRegex("[a-z]+-[a-z]+-[0-9]{1,3}"));
}

TEST_P(LoggedModelsTest, NamesAndExperimentsThatAreRefused) {
  for (const std::string bad : {"a/b", "a:b", "a.b", "a%b", "a\"b", "a'b"}) {
    EXPECT_EQ(catch_error([&] { create(bad); }).code, ErrorCode::kInvalidArgument) << bad;
  }
  LoggedModel model;
  model.experiment_id = 77;
  EXPECT_EQ(catch_error([&] { models_.create(model); }).code, ErrorCode::kNotFound);
  model.experiment_id = registry_.experiments().create("gone");
  registry_.experiments().remove(model.experiment_id);
  EXPECT_EQ(catch_error([&] { models_.create(model); }).code, ErrorCode::kFailedPrecondition);
}

TEST_P(LoggedModelsTest, FinalizingSetsTheStatus) {
  const auto id = create().model_id;
  clock_.advance(std::chrono::seconds(1));
  const auto model = models_.finalize(id, "LOGGED_MODEL_READY");
  EXPECT_EQ(model.status, "LOGGED_MODEL_READY");
  EXPECT_EQ(model.updated_ms, 1'700'000'001'000);
  EXPECT_EQ(models_.get(id).status, "LOGGED_MODEL_READY");
  EXPECT_EQ(catch_error([&] { models_.finalize(id, "READY"); }).code, ErrorCode::kInvalidArgument);
}

TEST_P(LoggedModelsTest, ADeletedOneIsHidden) {
  const auto id = create().model_id;
  models_.remove(id);
  models_.remove(id);  // again is fine
  const std::vector<std::function<void()>> actions = {
      [&] { models_.get(id); },
      [&] { models_.finalize(id, "LOGGED_MODEL_READY"); },
      [&] {
        models_.set_tags(id, {{"a", "b"}});
      },
      [&] { models_.delete_tag(id, "a"); },
      [&] {
        models_.log_params(id, {{"a", "b"}});
      },
      [&] { models_.log_metrics(id, {}); },
      [&] { models_.remove("m-none"); },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kNotFound) << i;
  }
}

TEST_P(LoggedModelsTest, TagsChangeAndParametersDoNot) {
  const auto id = create().model_id;
  models_.set_tags(id, {{"a", "1"}, {"b", "1"}});
  models_.set_tags(id, {{"a", "2"}});
  models_.delete_tag(id, "b");
  EXPECT_THAT(models_.get(id).tags, ElementsAre(Pair("a", "2")));
  EXPECT_EQ(catch_error([&] { models_.delete_tag(id, "b"); }).code, ErrorCode::kNotFound);

  models_.log_params(id, {{"lr", "1"}});
  models_.log_params(id, {{"lr", "1"}, {"depth", "3"}});
  const auto caught = catch_error([&] { models_.log_params(id, {{"a", "b"}, {"lr", "2"}}); });
  EXPECT_EQ(caught.code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(caught.message, HasSubstr("'lr' is '1' and cannot become '2'"));
  EXPECT_THAT(models_.get(id).params, ElementsAre(Pair("depth", "3"), Pair("lr", "1")));
}

TEST_P(LoggedModelsTest, MetricsAreTheLatestOfEachRunKeyAndDataSet) {
  const auto id = create().model_id;
  models_.log_metrics(id, {{{"acc", 0.5, 10, 1}, "run1", "digits", "d1"},
                           {{"acc", 0.6, 20, 2}, "run1", "digits", "d1"},
                           {{"acc", 0.7, 10, 1}, "run1", "", ""},
                           {{"acc", std::nan(""), 10, 1}, "run2", "digits", "d1"}});
  models_.log_metrics(id, {{{"acc", 0.1, 5, 9}, "run1", "digits", "d1"}});  // older
  const auto metrics = models_.get(id).metrics;
  ASSERT_EQ(metrics.size(), 3u);
  EXPECT_EQ(metrics[0].metric.value, 0.7);
  EXPECT_EQ(metrics[0].dataset_name, "");
  EXPECT_EQ(metrics[1].run_id, "run1");
  EXPECT_EQ(metrics[1].metric.key, "acc");
  EXPECT_EQ(metrics[1].metric.value, 0.6);
  EXPECT_EQ(metrics[1].metric.timestamp_ms, 20);
  EXPECT_EQ(metrics[1].metric.step, 2);
  EXPECT_EQ(metrics[1].dataset_name, "digits");
  EXPECT_EQ(metrics[1].dataset_digest, "d1");
  EXPECT_EQ(metrics[2].run_id, "run2");
  EXPECT_TRUE(std::isnan(metrics[2].metric.value));
  EXPECT_EQ(catch_error([&] {
              models_.log_metrics(id, {{{"", 1, 1, 1}, "run1", "", ""}});
            }).code,
            ErrorCode::kInvalidArgument);
}

TEST_P(LoggedModelsTest, MetricsOfARunThatWasRemovedForGoodGoToo) {
  const auto id = create().model_id;
  const auto gone = registry_.runs().create({});
  const auto kept = registry_.runs().create({});
  for (const auto& run : {gone, kept}) {
    models_.log_metrics(id, {{{"acc", 0.5, 10, 1}, run, "", ""}});
  }
  registry_.runs().remove(gone);
  registry_.runs().gc();
  ASSERT_EQ(models_.get(id).metrics.size(), 1u);
  EXPECT_EQ(models_.get(id).metrics[0].run_id, kept);
}

TEST_P(LoggedModelsTest, DeletedOnesAreRemovedForGoodWithTheirFiles) {
  const auto run = registry_.runs().create({});
  const auto fill = [&](const std::string& name) {
    LoggedModel wanted;
    wanted.name = name;
    wanted.params = {{"lr", "0.1"}};
    wanted.tags = {{"stage", "first"}};
    const LoggedModel made = models_.create(wanted);
    models_.log_metrics(made.model_id, {{{"acc", 0.5, 10, 1}, run, "", ""}});
    const std::string root = logged_model_artifact_root(made);
    registry_.artifacts().put(root + "/MLmodel", std::as_bytes(std::span(name)));
    return made;
  };
  const LoggedModel old = fill("old");
  const LoggedModel young = fill("young");
  const LoggedModel kept = fill("kept");
  registry_.runs().log_outputs(run, std::vector<RunModel>{{old.model_id, 0}});
  EXPECT_THAT(models_.gc().ids, IsEmpty()) << "nothing is deleted";
  models_.remove(old.model_id);
  clock_.advance(std::chrono::hours(2));
  models_.remove(old.model_id);  // again: it was deleted two hours ago
  models_.remove(young.model_id);
  EXPECT_THAT(models_.gc(1'700'000'000'000).ids, IsEmpty());
  EXPECT_THAT(models_.gc(1'700'000'000'001).ids, ElementsAre(old.model_id));
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM logged_models"), 2);
  EXPECT_THAT(models_.gc().ids, ElementsAre(young.model_id));
  EXPECT_THAT(models_.gc().ids, IsEmpty());
  for (const char* table :
       {"logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics"}) {
    EXPECT_EQ(scalar(format("SELECT COUNT(*) FROM {}", table)), 1) << table;
  }
  ASSERT_EQ(registry_.artifacts().tree("").size(), 1u);
  EXPECT_EQ(registry_.artifacts().gc(0), 8) << "old, young";
  EXPECT_THAT(registry_.artifacts().verify(), IsEmpty());
  EXPECT_EQ(models_.get(kept.model_id).params.size(), 1u);
  EXPECT_EQ(registry_.runs().get(run).model_outputs.at(0).model_id, old.model_id);
  EXPECT_EQ(catch_error([&] { models_.remove(old.model_id); }).code, ErrorCode::kNotFound);
}

TEST_P(LoggedModelsTest, OneStaysWhileAVersionHasItsFilesAlone) {
  const LoggedModel onnx = create("onnx");
  const LoggedModel other = create("other");
  const ModelVersion served =
      registry_.models().publish({.name = "served",
                                  .model_file = write("in.onnx", "model bytes"),
                                  .logged_model_id = onnx.model_id});
  registry_.models().publish({.name = "listed", .logged_model_id = other.model_id});
  models_.remove(onnx.model_id);
  models_.remove(other.model_id);
  const RemovedForGood removed = models_.gc();
  EXPECT_THAT(removed.ids, ElementsAre(onnx.model_id));
  ASSERT_EQ(removed.kept.size(), 1u);
  EXPECT_EQ(removed.kept[0].id, other.model_id);
  EXPECT_THAT(removed.kept[0].versions, ElementsAre("listed:1"));
  EXPECT_NO_THROW(registry_.models().verify(served));
  EXPECT_EQ(registry_.models().version("served", 1).logged_model_id, onnx.model_id);
  EXPECT_THAT(models_.gc().ids, IsEmpty());
  registry_.models().remove_version("listed", 1);
  EXPECT_THAT(models_.gc().ids, ElementsAre(other.model_id));
}

TEST_P(LoggedModelsTest, WhoRemovesThemAtOnceRemovesEachOnce) {
  constexpr std::size_t kModels = 20;
  std::set<std::string> deleted;
  for (std::size_t i = 0; i < kModels; ++i) {
    const LoggedModel model = create();
    registry_.artifacts().put(logged_model_artifact_root(model) + "/a",
                              std::as_bytes(std::span("x", 1)));
    models_.remove(model.model_id);
    deleted.insert(model.model_id);
  }
  std::vector<std::vector<std::string>> removed(3);
  std::vector<std::thread> threads;
  for (auto& ids : removed) {
    threads.emplace_back([&] { ids = Registry(location(), clock_).logged_models().gc().ids; });
  }
  for (int i = 0; i < 20; ++i) {
    create("beside");
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i].join();
    count += removed[i].size();
    for (const std::string& id : removed[i]) {
      EXPECT_EQ(deleted.erase(id), 1u);
    }
  }
  EXPECT_EQ(count, kModels);
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM logged_models"), 20);
  EXPECT_THAT(registry_.artifacts().tree(""), IsEmpty());
}

}  // namespace
}  // namespace onnxop
