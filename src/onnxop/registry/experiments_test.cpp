#include "onnxop/registry/experiments.h"

#include <gmock/gmock.h>

#include "onnxop/registry/metric_points.h"
#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ExperimentsTest : public EachRegistryTest {
 protected:
  LifecycleStage stage_of(const std::string& run_id) const {
    return registry_.runs().get(run_id).lifecycle_stage;
  }
};
ONNXOP_ON_EACH_STORE(ExperimentsTest);

TEST_P(ExperimentsTest, TheDefaultOneIsAlwaysThere) {
  const auto experiment = experiments_.get(kDefaultExperiment);
  EXPECT_EQ(experiment.name, "Default");
  EXPECT_EQ(experiment.lifecycle_stage, LifecycleStage::kActive);
  EXPECT_EQ(experiments_.get_by_name("Default").experiment_id, kDefaultExperiment);
  EXPECT_EQ(catch_error([&] { experiments_.remove(kDefaultExperiment); }).code,
            ErrorCode::kInvalidArgument);
}

TEST_P(ExperimentsTest, TheFolderOfItsArtifactsMayBeChosen) {
  const auto id = experiments_.create("digits", {}, "vision/digits");
  const std::string id_of_run = registry_.runs().create({.experiment_id = id});
  const auto run = registry_.runs().get(id_of_run);
  const std::string root = "vision/digits/" + id_of_run + "/artifacts";
  EXPECT_EQ(run_artifact_root(run), root);
  const LoggedModel model = registry_.logged_models().create({.experiment_id = id, .name = "net"});
  EXPECT_EQ(logged_model_artifact_root(model),
            "vision/digits/models/" + model.model_id + "/artifacts");
  const SearchOptions by_place{.filter = "artifact_uri = 'mlflow-artifacts:/" + root + "'"};
  EXPECT_EQ(registry_.runs().search({}, ViewType::kAll, by_place).items.size(), 1u);

  // What belongs to the run, and nothing else there, goes with it.
  const auto put = [&](const std::string& path) {
    registry_.artifacts().put(path, std::as_bytes(std::span("x", 1)));
  };
  put(root + "/a");
  put("vision/digits/b");
  experiments_.create("too", {}, "vision/digits");  // alone or with others
  registry_.runs().remove(id_of_run);
  registry_.runs().gc();
  EXPECT_EQ(registry_.artifacts().tree("").size(), 1u);

  for (const std::string& bad :
       {std::string("0"), std::string("7/x"), "x/" + id_of_run, "x/m-" + id_of_run + "/y",
        std::string("../x"), std::string("s3://x"), std::string("x/%2e%2e"), std::string("/x"),
        std::string(1001, 'x')}) {
    EXPECT_EQ(catch_error([&] { experiments_.create("bad", {}, bad); }).code,
              ErrorCode::kInvalidArgument)
        << bad;
  }
}

TEST_P(ExperimentsTest, OneIsMadeAndFoundByNumberAndName) {
  const auto id = experiments_.create("digits", {{"team", "vision"}}, "vision//digits/");
  EXPECT_NE(id, kDefaultExperiment);
  for (const auto& experiment : {experiments_.get(id), experiments_.get_by_name("digits")}) {
    EXPECT_EQ(experiment.experiment_id, id);
    EXPECT_EQ(experiment.name, "digits");
    EXPECT_EQ(experiment.artifact_folder, "vision/digits");
    EXPECT_EQ(experiment.created_ms, 1'700'000'000'000);
    EXPECT_EQ(experiment.updated_ms, 1'700'000'000'000);
    EXPECT_THAT(experiment.tags, ElementsAre(Pair("team", "vision")));
  }
  const auto other = experiments_.create("other");
  EXPECT_NE(other, id);
  EXPECT_EQ(experiments_.get(other).artifact_folder, std::to_string(other));
  EXPECT_EQ(experiments_.get(kDefaultExperiment).artifact_folder, "0");
  EXPECT_EQ(catch_error([&] { experiments_.get(99); }).code, ErrorCode::kNotFound);
  const auto caught = catch_error([&] { experiments_.get_by_name("nope"); });
  EXPECT_EQ(caught.code, ErrorCode::kNotFound);
  EXPECT_THAT(caught.message, HasSubstr("'nope'"));
}

TEST_P(ExperimentsTest, ANameIsTakenOnceAlsoByADeletedOne) {
  const auto id = experiments_.create("digits");
  EXPECT_EQ(catch_error([&] { experiments_.create("digits"); }).code, ErrorCode::kAlreadyExists);
  experiments_.remove(id);
  const auto caught = catch_error([&] { experiments_.create("digits"); });
  EXPECT_EQ(caught.code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(caught.message, HasSubstr("deleted; restore it"));
  EXPECT_EQ(catch_error([&] { experiments_.get_or_create("digits"); }).code,
            ErrorCode::kFailedPrecondition);
}

TEST_P(ExperimentsTest, OneIsFoundOrMade) {
  const auto id = experiments_.get_or_create("digits");
  EXPECT_EQ(experiments_.get_or_create("digits"), id);
  EXPECT_EQ(experiments_.get(id).name, "digits");
  EXPECT_EQ(experiments_.get_or_create("Default"), kDefaultExperiment);
}

TEST_P(ExperimentsTest, RenamingKeepsTheNumber) {
  const auto id = experiments_.create("a");
  experiments_.create("taken");
  clock_.advance(std::chrono::seconds(1));
  experiments_.rename(id, "b");
  EXPECT_EQ(experiments_.get_by_name("b").experiment_id, id);
  EXPECT_EQ(experiments_.get(id).created_ms, 1'700'000'000'000);
  EXPECT_EQ(experiments_.get(id).updated_ms, 1'700'000'001'000);
  EXPECT_EQ(catch_error([&] { experiments_.get_by_name("a"); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { experiments_.rename(id, "taken"); }).code, ErrorCode::kAlreadyExists);
  experiments_.rename(id, "b");  // its own is fine
  EXPECT_EQ(catch_error([&] { experiments_.rename(99, "c"); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { experiments_.rename(id, ""); }).code, ErrorCode::kInvalidArgument);
}

TEST_P(ExperimentsTest, TagsAreSetOverwrittenAndDeleted) {
  const auto id = experiments_.create("a");
  experiments_.set_tag(id, "k", "1");
  experiments_.set_tag(id, "k", "2");
  EXPECT_THAT(experiments_.get(id).tags, ElementsAre(Pair("k", "2")));
  experiments_.delete_tag(id, "k");
  EXPECT_THAT(experiments_.get(id).tags, IsEmpty());
  EXPECT_EQ(catch_error([&] { experiments_.delete_tag(id, "k"); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { experiments_.set_tag(99, "k", "1"); }).code, ErrorCode::kNotFound);
}

TEST_P(ExperimentsTest, DeletedOnesGoForGoodWithAllThatBelongsToThem) {
  constexpr std::size_t kSettledAtOnce = 16;  // points of one metric (metric_points.h)
  Runs& runs = registry_.runs();
  const auto fill = [&](std::int64_t experiment) {
    const std::string run = runs.create({.experiment_id = experiment});
    runs.log_batch(run, {.metrics = {{"loss", 1, 1, 1}}, .params = {{"a", "b"}}});
    runs.log_metrics(run, std::vector<Metric>(kSettledAtOnce, {"acc", 0.5, 1, 1}));
    std::vector<Metric> segment;
    for (std::int64_t key = 0; key < kMostRecentPoints; ++key) {
      segment.push_back({format("m{}", key), 0.5, 1, 1});
    }
    runs.log_metrics(run, segment);
    runs.log_inputs(run, {{{"digits", "d1", "local", "/data", "", ""}, {{"context", "train"}}}});
    std::ofstream(runs.dir(run) / "checkpoint") << "weights";
    const LoggedModel model = registry_.logged_models().create(
        {.experiment_id = experiment, .name = "net", .params = {{"a", "b"}}, .tags = {{"c", "d"}}});
    registry_.logged_models().log_metrics(model.model_id, {{{"acc", 0.5, 1, 1}, run, "", ""}});
    for (const std::string& folder :
         {run_artifact_root(runs.get(run)), logged_model_artifact_root(model)}) {
      registry_.artifacts().put(folder + "/x", std::as_bytes(std::span(folder)));
    }
    return run;
  };
  const auto gone = experiments_.create("gone", {{"k", "v"}});
  const auto shared = experiments_.create("shared", {}, "folder");
  const auto kept = experiments_.create("kept", {}, "folder");
  std::vector<std::string> doomed{fill(gone), fill(gone), fill(shared)};
  const std::string kept_run = fill(kept);
  registry_.artifacts().put(std::to_string(gone) + "/left", std::as_bytes(std::span("x", 1)));
  EXPECT_THAT(experiments_.gc().experiment_ids, IsEmpty());

  experiments_.remove(gone);
  experiments_.remove(shared);
  runs.remove(kept_run);  // of an experiment that is not deleted
  const RemovedExperiments removed = experiments_.gc();
  EXPECT_THAT(removed.experiment_ids, ElementsAre(gone, shared));
  EXPECT_THAT(removed.run_ids, testing::UnorderedElementsAreArray(doomed));
  for (const auto id : {gone, shared}) {
    EXPECT_EQ(catch_error([&] { experiments_.get(id); }).code, ErrorCode::kNotFound);
  }
  for (const std::string& run : doomed) {
    EXPECT_EQ(catch_error([&] { runs.get(run); }).code, ErrorCode::kNotFound);
    EXPECT_FALSE(std::filesystem::exists(store_dir() / "runs" / run));
  }
  for (const char* table : {"logged_models", "logged_model_params", "logged_model_tags",
                            "logged_model_metrics", "datasets", "run_datasets", "run_dataset_tags",
                            "run_params", "run_metrics", "run_recent_metrics", "runs"}) {
    EXPECT_EQ(scalar(format("SELECT COUNT(*) FROM {}", table)), 1) << table;
  }
  EXPECT_EQ(scalar("SELECT COUNT(DISTINCT run) FROM run_metric_segments"), 1);
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM experiment_tags"), 0);
  EXPECT_EQ(registry_.artifacts().tree("").size(), 2u);
  EXPECT_EQ(registry_.artifacts().tree("folder").size(), 2u);
  EXPECT_EQ(runs.get(kept_run).metrics.at("loss").value, 1);

  // The name is free; no number is used again.
  experiments_.remove(kept);
  EXPECT_THAT(experiments_.gc().run_ids, ElementsAre(kept_run));
  EXPECT_THAT(registry_.artifacts().tree(""), IsEmpty());
  EXPECT_EQ(experiments_.create("gone"), kept + 1);
  EXPECT_THAT(experiments_.get(kept + 1).tags, IsEmpty());
  EXPECT_THAT(experiments_.gc().experiment_ids, IsEmpty());
}

TEST_P(ExperimentsTest, GoneForGoodAreThoseDeletedBeforeATime) {
  const auto old = experiments_.create("old");
  const auto young = experiments_.create("young");
  const auto used = experiments_.create("used");
  const std::string run = registry_.runs().create({.experiment_id = used});
  experiments_.remove(old);
  experiments_.remove(used);
  registry_.runs().restore(run);
  clock_.advance(std::chrono::hours(2));
  experiments_.remove(young);
  EXPECT_THAT(experiments_.gc(1'700'000'000'000).experiment_ids, IsEmpty());
  EXPECT_THAT(experiments_.gc(1'700'000'000'001).experiment_ids, ElementsAre(old));
  EXPECT_THAT(experiments_.gc().experiment_ids, ElementsAre(young));
  EXPECT_EQ(registry_.runs().get(run).lifecycle_stage, LifecycleStage::kActive);
  experiments_.restore(used);
  EXPECT_THAT(experiments_.gc().experiment_ids, IsEmpty());
}

TEST_P(ExperimentsTest, LimitsAreThoseOfMlflow) {
  experiments_.create(std::string(500, 'n'));
  const auto id = experiments_.create("a");
  experiments_.set_tag(id, std::string(250, 'k'), std::string(20'000, 'v'));
  const std::vector<std::function<void()>> actions = {
      [&] { experiments_.create(std::string(501, 'n')); },
      [&] { experiments_.create(""); },
      [&] { experiments_.create(std::string("a\0b", 3)); },
      [&] {
        experiments_.create("b", {{"", "v"}});
      },
      [&] { experiments_.create("b", {}, std::string(1001, 'l')); },
      [&] { experiments_.set_tag(id, std::string(251, 'k'), "v"); },
      [&] { experiments_.set_tag(id, "k", std::string(20'001, 'v')); },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kInvalidArgument) << i;
  }
  EXPECT_EQ(catch_error([&] { experiments_.get_by_name("b"); }).code, ErrorCode::kNotFound);
}

TEST_P(ExperimentsTest, ADeletedOneIsNotChangedUntilItIsRestored) {
  const auto id = experiments_.create("a", {{"k", "v"}});
  experiments_.remove(id);
  EXPECT_EQ(experiments_.get(id).lifecycle_stage, LifecycleStage::kDeleted);
  EXPECT_EQ(experiments_.get_by_name("a").lifecycle_stage, LifecycleStage::kDeleted);
  const std::vector<std::function<void()>> actions = {
      [&] { experiments_.rename(id, "b"); },
      [&] { experiments_.set_tag(id, "k", "w"); },
      [&] { experiments_.delete_tag(id, "k"); },
      [&] { registry_.runs().create({.experiment_id = id}); },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kFailedPrecondition) << i;
  }
  EXPECT_EQ(catch_error([&] { experiments_.remove(id); }).code, ErrorCode::kNotFound);
  experiments_.restore(id);
  EXPECT_EQ(experiments_.get(id).lifecycle_stage, LifecycleStage::kActive);
  EXPECT_THAT(experiments_.get(id).tags, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(catch_error([&] { experiments_.restore(id); }).code, ErrorCode::kNotFound);
}

// All at the same millisecond, as a script does it.
TEST_P(ExperimentsTest, ItsRunsGoAndComeBackWithIt) {
  const auto id = experiments_.create("a");
  Runs& runs = registry_.runs();
  const auto active = runs.create({.experiment_id = id});
  const auto deleted_before = runs.create({.experiment_id = id});
  const auto elsewhere = runs.create({});
  const auto restored_alone = runs.create({.experiment_id = id});
  runs.remove(deleted_before);
  experiments_.remove(id);
  EXPECT_EQ(stage_of(active), LifecycleStage::kDeleted);
  EXPECT_EQ(stage_of(elsewhere), LifecycleStage::kActive);
  runs.restore(restored_alone);
  EXPECT_EQ(stage_of(restored_alone), LifecycleStage::kActive);

  experiments_.restore(id);
  EXPECT_EQ(stage_of(active), LifecycleStage::kActive);
  EXPECT_EQ(stage_of(restored_alone), LifecycleStage::kActive);
  EXPECT_EQ(stage_of(deleted_before), LifecycleStage::kDeleted);

  experiments_.remove(id);  // and the same again
  experiments_.restore(id);
  EXPECT_EQ(stage_of(active), LifecycleStage::kActive);
  EXPECT_EQ(stage_of(deleted_before), LifecycleStage::kDeleted);
}

}  // namespace
}  // namespace onnxop
