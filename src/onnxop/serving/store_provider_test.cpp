// What a store offers, and when it is looked up.

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"
#include "onnxop/serving/model_provider.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class StoreProviderTest : public EachStoreTest {
 protected:
  void add(const std::string& name, const std::string& content = "model") {
    models_.publish({.name = name, .model_file = write("m.onnx", content)});
  }
  void add_bare(const std::string& name) {
    models_.publish({.name = name, .source = "mlflow-artifacts:/0/run/artifacts/model"});
  }
  std::unique_ptr<ModelProvider> provider() { return store_provider(location(), clock_, {}); }

  Registry registry_{location(), clock_};
  Models& models_ = registry_.models();
};

std::vector<std::int64_t> versions_of(const ModelOffer& offer) {
  std::vector<std::int64_t> versions;
  for (const OfferedVersion& version : offer.versions) {
    versions.push_back(version.version);
  }
  return versions;
}

TEST_P(StoreProviderTest, OffersVersionsAndAliases) {
  add("b");
  add("b");
  add("a b");
  models_.set_alias("b", "champion", 1);
  models_.create("empty");
  const auto store = provider();
  const auto offers = store->offers();
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_EQ(offers[0].name, "a b");
  EXPECT_EQ(offers[1].name, "b");
  EXPECT_THAT(versions_of(offers[1]), ElementsAre(1, 2));
  EXPECT_THAT(offers[1].aliases, ElementsAre(Pair("champion", 1)));
  const auto source = store->source("b", 2);
  EXPECT_EQ(source.path, models_.version("b", 2).model_path);
  ASSERT_EQ(source.files.size(), 1u);
  EXPECT_EQ(catch_error([&] { store->source("b", 3); }).code, ErrorCode::kNotFound);
  EXPECT_TRUE(store->checked());
}

TEST_P(StoreProviderTest, OnlyAChangeOfAModelIsAChange) {
  add("m");
  const auto store = provider();
  EXPECT_TRUE(store->changed());
  store->offers();
  EXPECT_FALSE(store->changed());
  const auto run = registry_.runs().create({.name = "training"});
  registry_.runs().log_metrics(run, {{"loss", 1, 1, 1}});
  EXPECT_FALSE(store->changed());
  models_.set_alias("m", "champion", 1);
  EXPECT_TRUE(store->changed());
  EXPECT_TRUE(store->changed()) << "until it is looked up";
  EXPECT_THAT(store->offers().at(0).aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_FALSE(store->changed());
}

TEST_P(StoreProviderTest, VersionsWithoutAModelAreNotOffered) {
  add("m");
  add_bare("m");
  add_bare("sklearn");
  const auto store = provider();
  const auto offers = store->offers();
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_THAT(versions_of(offers[0]), ElementsAre(1));
}

TEST_P(StoreProviderTest, AnAliasOfAVersionWithoutAModelSaysWhy) {
  add("m");
  add_bare("m");
  models_.set_alias("m", "champion", 2);
  const auto offers = provider()->offers();
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_THAT(versions_of(offers[0]), ElementsAre(1, 2));
  EXPECT_EQ(offers[0].versions[0].broken, "");
  EXPECT_THAT(offers[0].versions[1].broken,
              HasSubstr("has no model.onnx: it was registered from mlflow-artifacts:/0/run"));
}

TEST_P(StoreProviderTest, AModelMadeAnewUnderItsNameIsAnother) {
  add("m");
  const auto store = provider();
  const std::string before = store->offers().at(0).versions.at(0).fingerprint;
  models_.remove("m");
  EXPECT_THAT(store->offers(), IsEmpty());
  clock_.advance(std::chrono::milliseconds(1));
  add("m");
  EXPECT_NE(store->offers().at(0).versions.at(0).fingerprint, before);
}

TEST_P(StoreProviderTest, SaysWhereAndHowOftenToLook) {
  const auto store = provider();
  EXPECT_LE(store->poll_time().value(), std::chrono::seconds(1));
  EXPECT_EQ(store->watched().size(), on_postgresql() ? 0u : 1u);
}

ONNXOP_ON_EACH_STORE(StoreProviderTest);

}  // namespace
}  // namespace onnxop
