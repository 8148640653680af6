#include "onnxop/registry/experiments.h"

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ExperimentsTest : public EachStoreTest {
 protected:
  LifecycleStage stage_of(const std::string& run_id) const {
    return registry_.runs().get(run_id).lifecycle_stage;
  }

  Registry registry_{location(), clock_};
  Experiments& experiments_ = registry_.experiments();
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
      [&] { experiments_.create("b", {}, std::string(2049, 'l')); },
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
