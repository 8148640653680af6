#include <gmock/gmock.h>

#include "onnxop/registry/test_models.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ModelHistoryTest : public ModelStoreTest {
 protected:
  /// "actor: event name[:version] [key] before>after"
  std::vector<std::string> story(const std::string& name) const {
    std::vector<std::string> lines;
    for (const ModelEvent& event : models_.history(name)) {
      lines.push_back(event.actor + ": " + event.event + " " + event.name +
                      (event.version ? ":" + std::to_string(*event.version) : "") +
                      (event.key.empty() ? "" : " " + event.key) + " " + event.before + ">" +
                      event.after);
    }
    return lines;
  }
  void next_hour() { clock_.advance(std::chrono::hours(1)); }
  std::int64_t now() const { return to_unix_ms(clock_.wall()); }
};
ONNXOP_ON_EACH_STORE(ModelHistoryTest);

TEST_P(ModelHistoryTest, EveryChangeIsThereWithItsActor) {
  registry_.act_as("ada");
  const auto sha = add("m").sha256;
  registry_.act_as("bob");
  models_.set_alias("m", "champion", 1);
  models_.set_alias("m", "champion", 1);  // no change
  const auto sha2 = add("m", "two").sha256;
  models_.set_alias("m", "champion", 2);
  models_.rollback_alias("m", "champion");
  models_.delete_alias("m", "champion");
  models_.set_stage("m", 1, "Production", false);
  models_.set_stage("m", 1, "Production", false);
  models_.set_stage("m", 2, "Production", true);
  models_.describe("m", "about");
  models_.describe("m", "about");
  models_.describe_version("m", 1, "notes");
  models_.set_tag("m", "k", "1");
  models_.set_tag("m", "k", "2");
  models_.set_tag("m", "k", "2");
  models_.delete_tag("m", "k");
  models_.delete_tag("m", "k");
  models_.set_version_tag("m", 1, "k", "1");
  models_.delete_version_tag("m", 1, "k");
  models_.log_version_metrics("m", 1, {{"accuracy", 0.5}});
  models_.log_version_metrics("m", 1, {{"accuracy", 0.5}});
  models_.log_version_metrics("m", 1, {{"accuracy", 0.75}});
  models_.set_alias("m", "x", 1);
  models_.remove_version("m", 1);
  models_.rename("m", "n");
  models_.remove("n");
  EXPECT_THAT(
      story("n"),
      ElementsAre("ada: model_created m >", "ada: version_created m:1 >" + sha,
                  "bob: alias_set m:1 champion >1", "bob: version_created m:2 >" + sha2,
                  "bob: alias_set m:2 champion 1>2", "bob: alias_rolled_back m:1 champion 2>1",
                  "bob: alias_deleted m:1 champion 1>", "bob: stage_changed m:1 None>Production",
                  "bob: stage_changed m:1 Production>Archived",
                  "bob: stage_changed m:2 None>Production", "bob: description_changed m >about",
                  "bob: description_changed m:1 >notes", "bob: tag_set m k >1",
                  "bob: tag_set m k 1>2", "bob: tag_deleted m k 2>", "bob: tag_set m:1 k >1",
                  "bob: tag_deleted m:1 k 1>", "bob: metric_measured m:1 accuracy >0.5",
                  "bob: metric_measured m:1 accuracy 0.5>0.75", "bob: alias_set m:1 x >1",
                  "bob: alias_deleted m:1 x 1>", "bob: version_deleted m:1 " + sha + ">",
                  "bob: model_renamed m m>n", "bob: model_deleted n >"));
}

TEST_P(ModelHistoryTest, WhatFailsLeavesNoTrace) {
  add("m");
  const auto before = models_.last_change();
  catch_error([&] { models_.set_alias("m", "champion", 9); });
  catch_error([&] { models_.rollback_alias("m", "champion"); });
  catch_error([&] { models_.remove_version("m", 9); });
  catch_error([&] { models_.create("m"); });
  EXPECT_EQ(models_.last_change(), before);
}

TEST_P(ModelHistoryTest, LastChangeGrowsWithEveryChangeOfAModelAndNothingElse) {
  EXPECT_EQ(models_.last_change(), 0);
  add("m");
  auto last = models_.last_change();
  EXPECT_GT(last, 0);
  const auto run = registry_.runs().create({.name = "r"});
  registry_.runs().log_metrics(run, {{"loss", 1, 1, 1}});
  registry_.artifacts().put("a", {});
  EXPECT_EQ(models_.last_change(), last);
  const std::vector<std::function<void()>> changes = {
      [&] { models_.set_alias("m", "champion", 1); }, [&] { models_.rename("m", "n"); },
      [&] { models_.remove_version("n", 1); }, [&] { models_.remove("n"); }};
  for (const auto& change : changes) {
    change();
    EXPECT_GT(models_.last_change(), last);
    last = models_.last_change();
  }
}

TEST_P(ModelHistoryTest, WhoWasInProduction) {
  const auto start = now();
  next_hour();
  add("m");
  models_.set_alias("m", "champion", 1);
  models_.set_stage("m", 1, "Production", false);
  const auto first = now();
  next_hour();
  add("m");
  models_.set_alias("m", "champion", 2);
  models_.set_stage("m", 2, "Production", true);
  const auto second = now();
  next_hour();
  models_.rollback_alias("m", "champion");
  models_.remove_version("m", 2);
  const auto third = now();

  EXPECT_EQ(catch_error([&] { models_.state_at("m", start); }).code, ErrorCode::kNotFound);
  const auto one = models_.state_at("m", second - 1);
  EXPECT_THAT(one.aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_THAT(one.stages, ElementsAre(Pair(1, "Production")));
  EXPECT_THAT(one.versions, ElementsAre(1));
  EXPECT_EQ(models_.state_at("m", first).versions, one.versions);
  const auto two = models_.state_at("m", second);
  EXPECT_THAT(two.aliases, ElementsAre(Pair("champion", 2)));
  EXPECT_THAT(two.stages, ElementsAre(Pair(1, "Archived"), Pair(2, "Production")));
  EXPECT_THAT(two.versions, ElementsAre(1, 2));
  const auto three = models_.state_at("m", third);
  EXPECT_THAT(three.aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_THAT(three.stages, ElementsAre(Pair(1, "Archived")));
  EXPECT_THAT(three.versions, ElementsAre(1));
}

TEST_P(ModelHistoryTest, ANameMeansTheModelThatHadItThen) {
  add("a");  // the first model
  models_.set_alias("a", "champion", 1);
  const auto first = now();
  next_hour();
  models_.rename("a", "b");
  const auto gap = now();
  next_hour();
  add("a");  // the second
  add("a");
  models_.set_alias("a", "champion", 2);
  const auto second = now();
  next_hour();
  models_.remove("a");
  const auto removed = now();
  next_hour();
  models_.create("a");  // the third
  const auto third = now();

  EXPECT_THAT(models_.state_at("a", first).aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_EQ(catch_error([&] { models_.state_at("b", first); }).code, ErrorCode::kNotFound);
  const auto caught = catch_error([&] { models_.state_at("a", gap); });
  EXPECT_EQ(caught.code, ErrorCode::kNotFound);
  EXPECT_THAT(caught.message, HasSubstr("there was no model 'a' in the store"));
  EXPECT_THAT(caught.message, HasSubstr("at 2023-11-14T23:13:20.000Z"));
  EXPECT_THAT(models_.state_at("b", gap).aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_THAT(models_.state_at("a", second).aliases, ElementsAre(Pair("champion", 2)));
  EXPECT_EQ(catch_error([&] { models_.state_at("a", removed); }).code, ErrorCode::kNotFound);
  EXPECT_THAT(models_.state_at("a", third).aliases, IsEmpty());
  EXPECT_THAT(models_.state_at("a", third).versions, IsEmpty());

  // The first model's time as "a", the second's whole life, the third's beginning.
  EXPECT_EQ(models_.history("a").size(), 4u + 5u + 1u);
  EXPECT_EQ(models_.history("b").size(), 4u);
}

TEST_P(ModelHistoryTest, ADeletedModelKeepsItsHistory) {
  add("m");
  models_.remove("m");
  EXPECT_THAT(models_.history("m").back().event, "model_deleted");
  EXPECT_EQ(catch_error([&] { models_.get("m"); }).code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace onnxop
