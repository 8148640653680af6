// What goes for good leaves registered versions their files.

#include <map>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class VersionNeedsTest : public EachRegistryTest {
 protected:
  Models& models_ = registry_.models();
};
ONNXOP_ON_EACH_STORE(VersionNeedsTest);

TEST_P(VersionNeedsTest, ARunStaysWhileAVersionHasItsFilesAlone) {
  std::map<std::string, std::string> runs;
  for (const std::string name : {"served", "listed", "copied", "logged"}) {
    const auto id = runs_.create({.name = name});
    registry_.artifacts().put(run_artifact_root(runs_.get(id)) + "/model.pkl",
                              std::as_bytes(std::span(name)));
    runs[name] = id;
    runs_.remove(id);
  }
  const LoggedModel logged = registry_.logged_models().create({.source_run_id = runs["logged"]});
  const auto source = [&](const std::string& run) { return "runs:/" + runs[run] + "/model"; };
  models_.publish({.name = "onnx",
                   .model_file = write("in.onnx", "model bytes"),
                   .run_id = runs["served"],
                   .source = source("served")});
  models_.publish({.name = "net", .run_id = runs["listed"], .source = source("listed")});
  models_.publish({.name = "net", .run_id = runs["copied"], .source = "models:/other/1"});
  models_.publish({.name = "net", .run_id = runs["listed"], .source = source("listed")});
  models_.publish({.name = "net",
                   .run_id = runs["logged"],
                   .source = "models:/" + logged.model_id,
                   .logged_model_id = logged.model_id});

  const RemovedForGood removed = runs_.gc();
  EXPECT_THAT(removed.ids, ElementsAre(runs["served"], runs["logged"]))
      << "their versions have files of their own, or the logged model's";
  ASSERT_EQ(removed.kept.size(), 2u);
  EXPECT_EQ(removed.kept[0].id, runs["listed"]);
  EXPECT_THAT(removed.kept[0].versions, ElementsAre("net:1", "net:3"));
  EXPECT_EQ(removed.kept[1].id, runs["copied"]);
  EXPECT_THAT(removed.kept[1].versions, ElementsAre("net:2"));
  EXPECT_EQ(registry_.artifacts().tree("").size(), 2u);
  EXPECT_EQ(runs_.get(runs["listed"]).lifecycle_stage, LifecycleStage::kDeleted);
  EXPECT_THAT(runs_.gc(1).kept, IsEmpty()) << "it was deleted later";

  models_.remove_version("net", 1);
  EXPECT_THAT(runs_.gc().ids, IsEmpty());
  models_.remove("net");
  EXPECT_THAT(runs_.gc().ids, ElementsAre(runs["listed"], runs["copied"]));
}

TEST_P(VersionNeedsTest, AnExperimentStaysWithWhatAVersionNeeds) {
  const auto of_run = experiments_.create("of the run");
  const auto of_model = experiments_.create("of the model");
  const std::string kept = runs_.create({.experiment_id = of_run});
  const std::string gone = runs_.create({.experiment_id = of_run});
  const LoggedModel model = registry_.logged_models().create({.experiment_id = of_model});
  const LoggedModel beside = registry_.logged_models().create({.experiment_id = of_run});
  for (const std::string& folder :
       {run_artifact_root(runs_.get(kept)), logged_model_artifact_root(model)}) {
    registry_.artifacts().put(folder + "/model.pkl", std::as_bytes(std::span(folder)));
  }
  models_.publish({.name = "net", .run_id = kept, .source = "runs:/" + kept});
  models_.publish({.name = "net", .logged_model_id = model.model_id});
  experiments_.remove(of_run);
  experiments_.remove(of_model);

  const RemovedExperiments removed = experiments_.gc();
  EXPECT_THAT(removed.run_ids, ElementsAre(gone));
  EXPECT_THAT(removed.experiment_ids, IsEmpty());
  EXPECT_THAT(removed.kept_experiment_ids, ElementsAre(of_run, of_model));
  ASSERT_EQ(removed.kept_runs.size(), 1u);
  EXPECT_EQ(removed.kept_runs[0].id, kept);
  EXPECT_THAT(removed.kept_runs[0].versions, ElementsAre("net:1"));
  ASSERT_EQ(removed.kept_models.size(), 1u);
  EXPECT_EQ(removed.kept_models[0].id, model.model_id);
  EXPECT_THAT(removed.kept_models[0].versions, ElementsAre("net:2"));
  EXPECT_EQ(registry_.artifacts().tree("").size(), 2u);

  models_.remove_version("net", 1);
  EXPECT_THAT(experiments_.gc().experiment_ids, ElementsAre(of_run));
  EXPECT_EQ(catch_error([&] { registry_.logged_models().get(beside.model_id); }).code,
            ErrorCode::kNotFound);
  models_.remove("net");
  EXPECT_THAT(experiments_.gc().experiment_ids, ElementsAre(of_model));
  EXPECT_THAT(registry_.artifacts().tree(""), IsEmpty());
}

}  // namespace
}  // namespace onnxop
