// Versions that come, go and break.

#include "onnxop/serving/golden.h"
#include "onnxop/serving/test_model_manager.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(ModelManagerTest, ServesAFolderAndNoticesWhatChanges) {
  put("a", 1);
  put("b", 3);
  fs::create_directories(folder_ / "models" / "a" / "notes");
  fs::create_directories(folder_ / "models" / "empty");
  auto models = manager(folder());
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  EXPECT_EQ(served("b"), 3);
  EXPECT_EQ(served("b:3"), 3);
  EXPECT_EQ(checks_, 2) << "files that nobody has checked are";
  models.refresh();
  EXPECT_EQ(loads_.size(), 2U) << "what is loaded is not loaded again";

  put("a", 2);
  models.refresh();
  EXPECT_EQ(served("a"), 2);
  EXPECT_EQ(served("a:1"), 0);
  EXPECT_EQ(models.counts().loaded, 3U);
  EXPECT_EQ(models.counts().unloaded, 1U);
  EXPECT_THAT(status_of(models, "a", 1), HasSubstr("UNAVAILABLE not among"));

  fs::remove_all(folder_ / "models" / "a" / "2");
  fs::remove_all(folder_ / "models" / "b");
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  EXPECT_EQ(served("b"), 0);
  EXPECT_EQ(status_of(models, "b", 3), "none");
}

TEST_F(ModelManagerTest, AChangedFileIsLoadedAgain) {
  put("a", 1, "old");
  auto models = manager(folder());
  models.refresh();
  const ModelLease old = catalog_.snapshot()->find("a");
  put("a", 1, "new, and longer");
  models.refresh();
  EXPECT_NE(catalog_.snapshot()->find("a"), old);
  EXPECT_EQ(old->stats, catalog_.snapshot()->find("a")->stats) << "its statistics go on";
}

TEST_F(ModelManagerTest, ABrokenVersionLeavesTheOldOneServing) {
  put("a", 1);
  auto models = manager(folder());
  models.refresh();
  broken_.insert("a/2");
  put("a", 2);
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  EXPECT_EQ(served("a:1"), 1);
  EXPECT_EQ(served("a:2"), 0);
  EXPECT_EQ(status_of(models, "a", 1), "READY ");
  EXPECT_THAT(status_of(models, "a", 2), HasSubstr("UNAVAILABLE broken model"));
  EXPECT_EQ(models.counts().failed, 1U);
  models.refresh();
  EXPECT_EQ(loads_.size(), 2U) << "it is not tried again as long as it is the same";
  EXPECT_EQ(served("a"), 1);

  broken_.clear();
  put("a", 2, "repaired");
  models.refresh();
  EXPECT_EQ(served("a"), 2);
  EXPECT_EQ(served("a:1"), 0);
}

TEST_F(ModelManagerTest, AtTheStartABrokenVersionGivesWayToAnOlderOne) {
  put("a", 1);
  put("a", 2);
  put("a", 3);
  broken_ = {"a/2", "a/3"};
  auto models = manager(folder());
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  EXPECT_THAT(status_of(models, "a", 3), HasSubstr("UNAVAILABLE broken model"));
  EXPECT_THAT(status_of(models, "a", 2), HasSubstr("UNAVAILABLE broken model"));
  EXPECT_EQ(loads_.size(), 3U);
}

TEST_F(ModelManagerTest, AVersionWhoseFileBecomesBrokenGoesOn) {
  put("a", 1, "good");
  auto models = manager(folder());
  models.refresh();
  const ModelLease good = catalog_.snapshot()->find("a");
  broken_ = {"a/1"};
  put("a", 1, "broken, and longer");
  models.refresh();
  models.refresh();
  EXPECT_EQ(catalog_.snapshot()->find("a"), good);
  EXPECT_EQ(loads_.size(), 2U);
}

TEST_F(ModelManagerTest, AnAliasThatMovesToABrokenVersionStaysWhereItWas) {
  Registry registry(folder_ / "store", clock_);
  for (const char* note : {"first", "second"}) {
    write_file_atomically(folder_ / "m.onnx", serialize_model(fake_model(note)));
    registry.models().publish({.name = "mnist", .model_file = folder_ / "m.onnx"});
  }
  registry.models().set_alias("mnist", "champion", 1);
  auto models = manager(store_provider(folder_ / "store", clock_, {.max_batch = 1}),
                        {.policy = parse_version_policy("1"), .references = {"mnist@champion"}});
  models.refresh();
  const auto path = registry.models().version("mnist", 2).model_path;
  fs::permissions(path, fs::perms::owner_all);
  std::ofstream(path, std::ios::app) << "x";
  registry.models().set_alias("mnist", "champion", 2);
  models.refresh();
  EXPECT_EQ(served("mnist@champion"), 1);
  EXPECT_THAT(models.unmet(), ElementsAre(HasSubstr("SHA-256")));
}

TEST_F(ModelManagerTest, WhatIsStillBeingCopiedIsNotTouched) {
  put("a", 1);
  auto models = manager(folder(3600));
  EXPECT_TRUE(models.refresh()) << "it asks for another look";
  EXPECT_THAT(loads_, IsEmpty());
  EXPECT_THAT(status_of(models, "a", 1), HasSubstr("changed a moment ago"));
  fs::last_write_time(folder_ / "models" / "a" / "1" / "model.onnx",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_FALSE(models.refresh());
  EXPECT_EQ(served("a"), 1);
}

TEST_F(ModelManagerTest, ALiveVersionThatIsWrittenAgainGoesOnMeanwhile) {
  const fs::path file = put("a", 1, "old") / "model.onnx";
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
  fs::last_write_time(file, long_ago);
  auto models = manager(folder(3600));
  models.refresh();
  const ModelLease old = catalog_.snapshot()->find("a");
  ASSERT_TRUE(old);
  put("a", 1, "new, and longer");
  EXPECT_TRUE(models.refresh());
  EXPECT_EQ(catalog_.snapshot()->find("a"), old);
  fs::last_write_time(file, long_ago);
  EXPECT_FALSE(models.refresh());
  EXPECT_NE(catalog_.snapshot()->find("a"), old);
  EXPECT_EQ(served("a"), 1);
}

TEST_F(ModelManagerTest, GoldenSamplesGateAVersion) {
  const auto scorer = fake_classifier(8, 8, 1, 10);
  std::vector<std::vector<NamedTensor>> inputs(1);
  inputs[0].push_back({"image", Tensor(DType::kFloat32, {1, 8, 8, 1})});
  inputs[0][0].tensor.values<float>()[0] = 4;
  GoldenSamples golden = make_golden(*scorer, std::move(inputs));
  write_golden(put("good", 1) / kGoldenFile, golden);
  golden.samples[0].outputs[0].tensor.values<float>()[4] = 0.5F;
  write_golden(put("bad", 1) / kGoldenFile, golden);
  std::ofstream(put("ugly", 1) / kGoldenFile) << R"({"version": 1, "tolerance": "none"})";
  auto models = manager(folder());
  models.refresh();
  EXPECT_EQ(served("good"), 1);
  EXPECT_THAT(status_of(models, "bad", 1), HasSubstr("golden sample 0"));
  EXPECT_THAT(status_of(models, "bad", 1), HasSubstr("element 4"));
  EXPECT_THAT(status_of(models, "ugly", 1), HasSubstr("no golden samples"));
}

TEST_F(ModelManagerTest, UnloadAndLoad) {
  put("a", 1);
  auto models = manager(folder());
  models.refresh();
  models.unload("a");
  EXPECT_EQ(served("a"), 0);
  EXPECT_EQ(status_of(models, "a", 1), "UNAVAILABLE unloaded");
  models.refresh();
  EXPECT_EQ(served("a"), 0) << "until it is loaded";
  models.load("a");
  EXPECT_EQ(served("a"), 1);
  EXPECT_THROW(models.load("b"), Error);
  EXPECT_THROW(models.unload("b"), Error);
  broken_.insert("a/2");
  put("a", 2);
  EXPECT_NO_THROW(models.load("a")) << "version 1 serves";
  models.unload("a");
  fs::remove_all(folder_ / "models" / "a" / "1");
  EXPECT_THROW(models.load("a"), Error);
  broken_.clear();
  EXPECT_NO_THROW(models.load("a")) << "what failed is tried again";
  EXPECT_EQ(served("a"), 2);
}

TEST_F(ModelManagerTest, AliasesOfTheStoreAreObeyed) {
  Registry registry(folder_ / "store", clock_);
  write_file_atomically(folder_ / "m.onnx", serialize_model(fake_model("first")));
  registry.models().publish({.name = "mnist", .model_file = folder_ / "m.onnx"});
  write_file_atomically(folder_ / "m.onnx", serialize_model(fake_model("second")));
  registry.models().publish({.name = "mnist", .model_file = folder_ / "m.onnx"});
  registry.models().set_alias("mnist", "champion", 1);
  ServingWishes wishes;
  wishes.references = {"mnist@champion", "mnist@challenger"};
  auto models =
      manager(store_provider(folder_ / "store", clock_, {.max_batch = 1}), std::move(wishes));
  models.refresh();
  EXPECT_EQ(served("mnist"), 2);
  EXPECT_EQ(served("mnist@champion"), 1);
  EXPECT_THAT(models.unmet(), ElementsAre(HasSubstr("no alias 'challenger'")));
  EXPECT_EQ(checks_, 0) << "the store has checked them";
  registry.models().set_alias("mnist", "champion", 2);
  registry.models().set_alias("mnist", "challenger", 1);
  models.refresh();
  EXPECT_EQ(served("mnist@champion"), 2);
  EXPECT_EQ(served("mnist@challenger"), 1);
  EXPECT_EQ(loads_.size(), 2U);
  EXPECT_THAT(models.unmet(), IsEmpty());

  // A file of the store that is not what was published.
  const auto path = registry.models().version("mnist", 1).model_path;
  fs::permissions(path, fs::perms::owner_all);
  std::ofstream(path, std::ios::app) << "x";
  models.load("mnist");
  EXPECT_EQ(served("mnist@challenger"), 1) << "what is loaded stays";
}

TEST_F(ModelManagerTest, AnAliasThatMovesToAVersionWithoutAModelStaysWhereItWas) {
  Registry registry(folder_ / "store", clock_);
  write_file_atomically(folder_ / "m.onnx", serialize_model(fake_model("first")));
  registry.models().publish({.name = "mnist", .model_file = folder_ / "m.onnx"});
  registry.models().publish({.name = "mnist", .source = "elsewhere"});
  registry.models().set_alias("mnist", "champion", 1);
  auto models = manager(store_provider(folder_ / "store", clock_, {.max_batch = 1}),
                        {.references = {"mnist@champion"}});
  models.refresh(0);
  EXPECT_EQ(served("mnist@champion"), 1);
  registry.models().set_alias("mnist", "champion", 2);
  models.refresh(0);
  EXPECT_EQ(served("mnist@champion"), 1);
  EXPECT_THAT(models.unmet(), ElementsAre(HasSubstr("version 2 has no model.onnx")));
  EXPECT_THAT(status_of(models, "mnist", 2), HasSubstr("UNAVAILABLE version 2 has no model.onnx"));
}

TEST_F(ModelManagerTest, OfManyModelsBatchSizesAreTriedOutWhenTheyAreUsed) {
  for (int i = 0; i < 20; ++i) {
    put("m" + std::to_string(i), 1);
  }
  auto models = manager(folder_provider(folder_ / "models", clock_, {}, 0));
  models.refresh();
  const auto runs = [&](const char* name) {
    const ModelLease lease = catalog_.snapshot()->find(name);
    return dynamic_cast<const FakeScorer&>(*lease->scorer).runs();
  };
  EXPECT_EQ(runs("m3"), 1) << "warmed, and no more";
  EXPECT_GT(catalog_.snapshot()->find("m3")->queue->max_rows(), 1);
  catalog_.snapshot()->find("m3")->stats->count_run({1, 1, 0.001, false}, clock_.wall());
  models.refresh();
  EXPECT_GT(runs("m3"), 1);
  EXPECT_EQ(runs("m4"), 1);
  const auto tried = runs("m3");
  models.refresh();
  EXPECT_EQ(runs("m3"), tried) << "once";
  put("single", 1);
  models.refresh();
  EXPECT_GT(runs("single"), 1) << "one that comes alone is ready for its traffic";
}

}  // namespace
}  // namespace onnxop
