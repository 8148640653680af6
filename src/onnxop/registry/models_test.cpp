#include <gmock/gmock.h>

#include "onnxop/base/file.h"
#include "onnxop/registry/test_models.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class ModelsTest : public ModelStoreTest {};

ONNXOP_ON_EACH_STORE(ModelsTest);

TEST_P(ModelsTest, AModelIsMadeWithoutVersions) {
  const auto made = models_.create("two words", "what it is for", {{"team", "vision"}});
  EXPECT_EQ(made.name, "two words");
  EXPECT_EQ(made.latest_version, 0);
  EXPECT_EQ(made.description, "what it is for");
  EXPECT_EQ(made.created_ms, 1'700'000'000'000);
  EXPECT_EQ(made.updated_ms, 1'700'000'000'000);
  EXPECT_THAT(made.tags, ElementsAre(Pair("team", "vision")));
  EXPECT_THAT(made.aliases, IsEmpty());
  EXPECT_THAT(models_.versions("two words"), IsEmpty());
  EXPECT_EQ(models_.get("two words").tags, made.tags);
  const auto again = catch_error([&] { models_.create("two words"); });
  EXPECT_EQ(again.code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(again.message, HasSubstr("there is a model 'two words' already"));
  EXPECT_EQ(catch_error([&] { models_.create("a/b"); }).code, ErrorCode::kInvalidArgument);
}

TEST_P(ModelsTest, ModelsAreListedWithTheirAliases) {
  EXPECT_THAT(models_.list(), IsEmpty());
  add("b");
  add("a");
  add("b");
  models_.create("B");
  models_.set_alias("b", "champion", 1);
  models_.set_tag("a", "k", "v");
  const auto models = models_.list();
  ASSERT_EQ(models.size(), 3u);
  EXPECT_EQ(models[0].name, "B");
  EXPECT_EQ(models[1].name, "a");
  EXPECT_EQ(models[1].latest_version, 1);
  EXPECT_THAT(models[1].aliases, IsEmpty());
  EXPECT_THAT(models[1].tags, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(models[2].name, "b");
  EXPECT_EQ(models[2].latest_version, 2);
  EXPECT_THAT(models[2].aliases, ElementsAre(Pair("champion", 1)));
}

TEST_P(ModelsTest, WhatIsNotThereIsAnsweredWithWhatIs) {
  EXPECT_THAT(catch_error([&] { models_.get("mnist"); }).message,
              HasSubstr("no model 'mnist' in the store " + registry_.location().text() +
                        ": it has no models yet"));
  add("mnist");
  add("resnet");
  const auto model = catch_error([&] { models_.get("mnits"); });
  EXPECT_EQ(model.code, ErrorCode::kNotFound);
  EXPECT_THAT(model.message, HasSubstr("there are: mnist, resnet; did you mean 'mnist'?"));
  const auto far = catch_error([&] { models_.get("transformer"); });
  EXPECT_THAT(far.message, Not(HasSubstr("did you mean")));
  const std::vector<std::function<void()>> actions = {
      [&] { models_.versions("x"); },
      [&] { models_.version("x", 1); },
      [&] { models_.rename("x", "y"); },
      [&] { models_.describe("x", "y"); },
      [&] { models_.remove("x"); },
      [&] { models_.set_tag("x", "k", "v"); },
      [&] { models_.delete_tag("x", "k"); },
      [&] { models_.latest_versions("x", {}); },
      [&] { models_.describe_version("x", 1, ""); },
      [&] { models_.set_version_tag("x", 1, "k", "v"); },
      [&] { models_.delete_version_tag("x", 1, "k"); },
      [&] { models_.log_version_metrics("x", 1, {}); },
      [&] { models_.set_stage("x", 1, "Staging", false); },
      [&] { models_.remove_version("x", 1); },
      [&] { models_.files("x", 1); },
      [&] { models_.version_dir("x", 1); },
      [&] { models_.set_alias("x", "a", 1); },
      [&] { models_.delete_alias("x", "a"); },
      [&] { models_.rollback_alias("x", "a"); },
      [&] { models_.history("x"); },
      [&] { models_.state_at("x", 0); },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kNotFound) << i;
  }
}

TEST_P(ModelsTest, DescriptionsAndTagsChange) {
  models_.create("m");
  clock_.advance(std::chrono::seconds(1));
  const auto described = models_.describe("m", "notes, \"quoted\" and 'so', €");
  EXPECT_EQ(described.description, "notes, \"quoted\" and 'so', €");
  EXPECT_EQ(described.updated_ms, 1'700'000'001'000);
  EXPECT_EQ(described.created_ms, 1'700'000'000'000);
  models_.set_tag("m", "a", "1");
  models_.set_tag("m", "b", "");
  models_.set_tag("m", "a", "2");
  EXPECT_THAT(models_.get("m").tags, ElementsAre(Pair("a", "2"), Pair("b", "")));
  models_.delete_tag("m", "a");
  models_.delete_tag("m", "a");  // MLflow's clients may ask for it twice
  EXPECT_THAT(models_.get("m").tags, ElementsAre(Pair("b", "")));
  models_.set_tag("m", "long", std::string(100'000, 'x'));
  EXPECT_EQ(models_.get("m").tags.at("long").size(), 100'000u);
  EXPECT_EQ(catch_error([&] { models_.set_tag("m", "long", std::string(100'001, 'x')); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { models_.set_tag("m", "", "x"); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { models_.set_tag("m", std::string(251, 'k'), "x"); }).code,
            ErrorCode::kInvalidArgument);
}

TEST_P(ModelsTest, TextThatNotEveryDatabaseKeepsIsRefused) {
  models_.create("m");
  for (const std::string& bad : {std::string("a\0b", 3), std::string("\xff")}) {
    const std::vector<std::function<void()>> actions = {
        [&] { models_.create("n", bad); },
        [&] {
          models_.create("n", "", {{"k", bad}});
        },
        [&] { models_.get(bad); },
        [&] { models_.history(bad); },
        [&] { models_.state_at(bad, 0); },
        [&] { models_.rename("m", bad); },
        [&] { models_.describe("m", bad); },
        [&] { models_.set_tag("m", bad, "v"); },
        [&] { models_.delete_tag("m", bad); },
        [&] { models_.publish({.name = "m", .source = bad}); },
        [&] { models_.publish({.name = "m", .contract = bad}); },
        [&] { models_.set_alias("m", bad, 1); },
    };
    for (std::size_t i = 0; i < actions.size(); ++i) {
      EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kInvalidArgument) << i;
    }
  }
  EXPECT_EQ(models_.list().size(), 1u);
}

TEST_P(ModelsTest, ARenamedModelKeepsAllItHas) {
  const auto version = add("a", "bytes");
  models_.set_alias("a", "champion", 1);
  models_.set_tag("a", "k", "v");
  clock_.advance(std::chrono::seconds(1));
  const auto renamed = models_.rename("a", "b");
  EXPECT_EQ(renamed.name, "b");
  EXPECT_EQ(renamed.latest_version, 1);
  EXPECT_EQ(renamed.updated_ms, 1'700'000'001'000);
  EXPECT_THAT(renamed.aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_THAT(renamed.tags, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(catch_error([&] { models_.get("a"); }).code, ErrorCode::kNotFound);
  const auto found = models_.resolve("b@champion");
  EXPECT_EQ(found.name, "b");
  EXPECT_EQ(found.model_path, version.model_path);  // its folder stays
  models_.verify(found);
  EXPECT_EQ(add("b").model_path, model_folder("a") / "2/model.onnx");

  models_.create("c");
  EXPECT_EQ(catch_error([&] { models_.rename("b", "c"); }).code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(catch_error([&] { models_.rename("b", "b"); }).code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(catch_error([&] { models_.rename("b", "x:y"); }).code, ErrorCode::kInvalidArgument);
}

TEST_P(ModelsTest, ANewModelUnderAnOldNameHasAFolderOfItsOwn) {
  add("a", "first");
  models_.rename("a", "b");
  const auto second = add("a", "second");
  EXPECT_EQ(second.version, 1);
  EXPECT_NE(second.model_path.parent_path().parent_path(), model_folder("a"));
  models_.remove("a");
  const auto third = add("a", "third");
  EXPECT_EQ(third.version, 1);
  EXPECT_NE(third.model_path, second.model_path);
  EXPECT_EQ(read_text_file(third.model_path), "third");
  EXPECT_EQ(read_text_file(models_.resolve("b").model_path), "first");
}

TEST_P(ModelsTest, NamesThatAreNoFoldersAreEscaped) {
  const auto spaced = add("two words", "1");
  EXPECT_EQ(spaced.model_path, model_folder("two%20words") / "1/model.onnx");
  const auto literal = add("two%20words", "2");
  EXPECT_NE(literal.model_path, spaced.model_path);
  EXPECT_EQ(models_.version_dir("two words", 1), spaced.model_path.parent_path());
  const std::string tail(60, 'x');
  const auto first = add(std::string(190, 'a') + "1" + tail, "3");
  const auto second = add(std::string(190, 'a') + "1" + tail + "b", "4");  // cut to one text
  EXPECT_NE(first.model_path, second.model_path);
  for (const auto& model : models_.list()) {
    EXPECT_NO_THROW(models_.verify(models_.version(model.name, 1)));
  }
}

TEST_P(ModelsTest, ARemovedModelLeavesNothing) {
  const auto version = add("m");
  add("m");
  add("other");
  models_.set_alias("m", "champion", 1);
  models_.set_tag("m", "k", "v");
  models_.set_version_tag("m", 1, "k", "v");
  models_.log_version_metrics("m", 1, {{"accuracy", 0.5}});
  models_.remove("m");
  EXPECT_EQ(catch_error([&] { models_.get("m"); }).code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(model_folder("m")));
  EXPECT_EQ(count("claims"), 0);
  EXPECT_EQ(count("versions"), 1);
  models_.create("empty");
  models_.remove("empty");
  EXPECT_EQ(models_.list().size(), 1u);
  const auto again = add("m");
  EXPECT_EQ(again.version, 1);
  EXPECT_THAT(again.aliases, IsEmpty());
  EXPECT_THAT(again.tags, IsEmpty());
}

}  // namespace
}  // namespace onnxop
