// Versions that come, go and break, with a fake in place of the engine.

#include "onnxop/serving/model_manager.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "onnxop/base/error.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/serving/golden.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ModelManagerTest : public testing::Test {
 protected:
  ModelManagerTest() {
    std::string name = (fs::temp_directory_path() / "onnxop-manager.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder");
    }
    folder_ = name;
    fs::create_directory(folder_ / "models");
  }
  ~ModelManagerTest() override { fs::remove_all(folder_); }

  static Bytes model_bytes(const std::string& note) {
    Model model;
    model.doc_string = note;
    model.graph.name = "fake";
    model.graph.nodes.push_back({"Identity", "", {"image"}, {"probabilities"}, {}, ""});
    model.graph.inputs.push_back({"image", DType::kFloat32, {{-1, "N"}}, ""});
    model.graph.outputs.push_back({"probabilities", DType::kFloat32, {{-1, "N"}}, ""});
    return serialize_model(model);
  }

  fs::path put(const std::string& name, int version, const std::string& note = "") {
    const fs::path dir = folder_ / "models" / name / std::to_string(version);
    fs::create_directories(dir);
    write_file_atomically(dir / "model.onnx", model_bytes(note));
    return dir;
  }

  std::unique_ptr<ModelProvider> folder(double settle_seconds = 0) {
    return folder_provider(folder_ / "models", clock_, {.max_batch = 1}, settle_seconds);
  }

  ModelManager manager(std::unique_ptr<ModelProvider> provider, ServingWishes wishes = {}) {
    std::vector<std::unique_ptr<ModelProvider>> providers;
    providers.push_back(std::move(provider));
    return manager(std::move(providers), std::move(wishes));
  }
  ModelManager manager(std::vector<std::unique_ptr<ModelProvider>> providers,
                       ServingWishes wishes = {}) {
    return {std::move(providers),
            {std::move(wishes), 2},
            [this](const fs::path& path, std::span<const std::byte>) -> std::shared_ptr<Scorer> {
              const std::lock_guard lock(mutex_);
              loads_.push_back(fs::relative(path.parent_path(), folder_ / "models").string());
              if (broken_.contains(loads_.back())) {
                fail(ErrorCode::kInvalidArgument, "broken model");
              }
              return fake_classifier(8, 8, 1, 10);
            },
            [this](const fs::path&) { ++checks_; },
            catalog_};
  }

  std::int64_t served(std::string_view reference) {
    const ModelLease lease = catalog_.snapshot()->find(reference);
    return lease ? lease->version : 0;
  }
  static std::string status_of(const ModelManager& manager, const std::string& name,
                               std::int64_t version) {
    for (const VersionStatus& status : manager.index()) {
      if (status.name == name && status.version == version) {
        return format("{} {}", version_state_name(status.state), status.reason);
      }
    }
    return "none";
  }

  SystemClock clock_;
  fs::path folder_;
  Catalog catalog_;
  std::mutex mutex_;
  std::vector<std::string> loads_;
  std::set<std::string> broken_;
  std::atomic<int> checks_{0};
};

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
    write_file_atomically(folder_ / "m.onnx", model_bytes(note));
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
  write_file_atomically(folder_ / "m.onnx", model_bytes("first"));
  registry.models().publish({.name = "mnist", .model_file = folder_ / "m.onnx"});
  write_file_atomically(folder_ / "m.onnx", model_bytes("second"));
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

/// A place that counts how often it is read, and can be unreachable.
class CountingProvider : public ModelProvider {
 public:
  explicit CountingProvider(std::unique_ptr<ModelProvider> inner) : inner_(std::move(inner)) {}
  std::vector<ModelOffer> offers() override {
    ++reads;
    changed_ = false;
    if (down) {
      fail(ErrorCode::kUnavailable, "no connection");
    }
    return inner_->offers();
  }
  bool changed() override {
    if (down) {
      fail(ErrorCode::kUnavailable, "no connection");
    }
    return changed_;
  }
  ModelSource source(const std::string& name, std::int64_t version) override {
    return inner_->source(name, version);
  }
  std::vector<fs::path> watched() override { return inner_->watched(); }
  bool checked() const override { return false; }
  void change() { changed_ = true; }

  int reads = 0;
  bool down = false;

 private:
  std::unique_ptr<ModelProvider> inner_;
  bool changed_ = true;
};

TEST_F(ModelManagerTest, APlaceIsReadWhenItHasChanged) {
  put("a", 1);
  auto counting = std::make_unique<CountingProvider>(folder());
  CountingProvider& place = *counting;
  auto models = manager(std::move(counting));
  ASSERT_EQ(models.places(), 1U);
  EXPECT_FALSE(models.refresh(0));
  EXPECT_EQ(served("a"), 1);
  EXPECT_EQ(place.reads, 1);
  const auto set = catalog_.snapshot();
  for (int i = 0; i < 3; ++i) {
    models.refresh(0);
  }
  EXPECT_EQ(place.reads, 1);
  EXPECT_EQ(catalog_.snapshot(), set) << "what is served is not even published again";
  put("a", 2);
  place.change();
  models.refresh(0);
  EXPECT_EQ(place.reads, 2);
  EXPECT_EQ(served("a"), 2);
}

TEST_F(ModelManagerTest, APlaceThatCannotBeReadLeavesWhatItHadServing) {
  put("a", 1);
  auto counting = std::make_unique<CountingProvider>(folder());
  CountingProvider& place = *counting;
  auto models = manager(std::move(counting));
  models.refresh(0);
  put("a", 2);
  place.change();
  place.down = true;
  models.refresh(0);
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  place.down = false;
  place.change();
  models.refresh(0);
  EXPECT_EQ(served("a"), 2);
}

TEST_F(ModelManagerTest, TwoPlacesAreReadApart) {
  put("a", 1);
  Registry registry(folder_ / "store", clock_);
  write_file_atomically(folder_ / "m.onnx", model_bytes("of the store"));
  for (const char* name : {"a", "b"}) {
    registry.models().publish({.name = name, .model_file = folder_ / "m.onnx"});
  }
  registry.models().publish({.name = "a", .model_file = folder_ / "m.onnx"});
  auto counting = std::make_unique<CountingProvider>(folder());
  CountingProvider& place = *counting;
  std::vector<std::unique_ptr<ModelProvider>> providers;
  providers.push_back(std::move(counting));
  providers.push_back(store_provider(folder_ / "store", clock_, {.max_batch = 1}));
  auto models = manager(std::move(providers));
  models.refresh();
  EXPECT_EQ(served("a"), 1) << "the first place's";
  EXPECT_EQ(served("b"), 1);
  registry.models().publish({.name = "b", .model_file = folder_ / "m.onnx"});
  models.refresh(1);
  EXPECT_EQ(served("b"), 2);
  EXPECT_EQ(place.reads, 1);
  fs::remove_all(folder_ / "models" / "a");
  place.change();
  models.refresh(0);
  EXPECT_EQ(served("a"), 2) << "the second place's comes forth";
}

TEST_F(ModelManagerTest, AnAliasThatMovesToAVersionWithoutAModelStaysWhereItWas) {
  Registry registry(folder_ / "store", clock_);
  write_file_atomically(folder_ / "m.onnx", model_bytes("first"));
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

TEST_F(ModelManagerTest, AProviderThatCannotBeReadKeepsWhatItHad) {
  put("a", 1);
  auto models = manager(folder());
  models.refresh();
  fs::rename(folder_ / "models", folder_ / "gone");
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  EXPECT_THROW(folder(), Error);
}

TEST_F(ModelManagerTest, TrafficIsLoadedBeforeItHolds) {
  for (int version = 1; version <= 3; ++version) {
    put("a", version);
  }
  auto models = manager(folder());
  models.refresh();
  EXPECT_EQ(served("a:1"), 0);
  const auto traffic = [&] { return catalog_.snapshot()->answering("a")->traffic; };
  EXPECT_EQ(traffic(), nullptr);

  models.set_traffic("a", {.split = {{"3", 1}, {"1", 1}}, .shadow = ShadowRule{"2", 100}});
  ASSERT_NE(traffic(), nullptr);
  EXPECT_EQ(traffic()->loaded, 0b11U);
  EXPECT_EQ(traffic()->targets[1]->version, 1);
  EXPECT_EQ(traffic()->shadow->version, 2);
  const auto before = traffic();
  models.refresh();
  EXPECT_EQ(traffic()->traffic, before->traffic) << "what it has counted goes on";

  models.set_traffic("a", {.split = {{"3", 1}, {"2", 1}}});
  EXPECT_NE(traffic()->traffic, before->traffic);
  EXPECT_EQ(served("a:1"), 0) << "what nobody wants any more goes";
  EXPECT_EQ(served("a:2"), 2);
  models.clear_traffic("a");
  EXPECT_EQ(traffic(), nullptr);
  EXPECT_EQ(served("a:2"), 0);
  EXPECT_THROW(models.clear_traffic("a"), Error);
}

TEST_F(ModelManagerTest, TrafficThatCannotHoldChangesNothing) {
  put("a", 1);
  put("a", 2);
  broken_.insert("a/1");
  auto models = manager(folder());
  models.refresh();
  models.set_traffic("a", {.split = {{"2", 1}}});
  const auto before = catalog_.snapshot()->answering("a")->traffic->traffic;
  const auto error_of = [&](const std::string& name, const TrafficPlan& plan) {
    try {
      models.set_traffic(name, plan);
    } catch (const Error& e) {
      return format("{}: {}", error_code_name(e.code()), e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of("a", {.split = {{"7", 1}}}),
              HasSubstr("invalid_argument: traffic: model 'a:7': there is no version '7'"));
  EXPECT_THAT(error_of("a", {.shadow = ShadowRule{"champion", 1}}),
              HasSubstr("there is no alias 'champion'"));
  EXPECT_THAT(error_of("a", {.split = {{"2", 1}, {"1", 1}}}),
              HasSubstr("failed_precondition: traffic: 'a:1': model 'a:1': broken model"));
  EXPECT_THAT(error_of("b", {.split = {{"1", 1}}}), HasSubstr("not_found: model 'b'"));
  EXPECT_THAT(error_of("a", {}), HasSubstr("neither split nor shadow"));
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->traffic, before);

  models.set_traffic("a", {.split = {{"1", 1}, {"2", 1}}}, true);
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->loaded, 0b10U) << "without it";
  broken_.clear();
  models.load("a");
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->loaded, 0b11U) << "once it can be loaded";
  fs::remove_all(folder_ / "models" / "a" / "1");
  models.refresh();
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->loaded, 0b10U);
}

}  // namespace
}  // namespace onnxop
