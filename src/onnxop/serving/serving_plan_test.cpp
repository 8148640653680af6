#include "onnxop/serving/serving_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

ModelOffer offer(std::string name, const std::vector<std::int64_t>& versions,
                 std::map<std::string, std::int64_t> aliases = {}) {
  ModelOffer made;
  made.name = std::move(name);
  for (const std::int64_t version : versions) {
    made.versions.push_back({version, "", true});
  }
  made.aliases = std::move(aliases);
  return made;
}

const std::vector<ModelOffer> kModels{
    offer("cats", {1, 2}), offer("mnist", {1, 2, 3, 4, 5}, {{"champion", 3}, {"old", 5}})};

std::string version_of(const ServingPlan& plan, const std::string& reference) {
  const auto found = plan.references.find(reference);
  return found == plan.references.end() ? "none" : format("{}", found->second.second);
}

TEST(ServingPlan, TheLatestOfEachModelAndWhatAliasesPointTo) {
  const ServingPlan plan = plan_serving(kModels, {});
  EXPECT_THAT(plan.load, ElementsAre(Pair("cats", 2), Pair("mnist", 3), Pair("mnist", 5)));
  EXPECT_EQ(version_of(plan, "cats"), "2");
  EXPECT_EQ(version_of(plan, "mnist"), "5");
  EXPECT_EQ(version_of(plan, "mnist@champion"), "3");
  EXPECT_EQ(version_of(plan, "mnist@old"), "5");
  EXPECT_EQ(version_of(plan, "mnist:3"), "3");
  EXPECT_EQ(version_of(plan, "mnist:4"), "none");
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(plan.not_chosen.size(), 4U);
  EXPECT_THAT(plan_serving({}, {}).load, IsEmpty());
}

TEST(ServingPlan, PoliciesNameVersions) {
  const auto loaded = [](std::string_view policy) {
    ServingWishes wishes;
    wishes.policies["mnist"] = parse_version_policy(policy);
    std::vector<std::int64_t> versions;
    for (const auto& [name, version] :
         plan_serving(std::vector{offer("mnist", {1, 2, 3, 4, 5})}, wishes).load) {
      versions.push_back(version);
    }
    return versions;
  };
  EXPECT_THAT(loaded("latest"), ElementsAre(5));
  EXPECT_THAT(loaded("latest:2"), ElementsAre(4, 5));
  EXPECT_THAT(loaded("latest:9"), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(loaded("all"), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(loaded("2,4,17"), ElementsAre(2, 4));
  for (const char* wrong : {"", "newest", "latest:", "latest:0", "1,", ",1", "1,x", "-1"}) {
    EXPECT_THROW(parse_version_policy(wrong), Error) << wrong;
  }
}

TEST(ServingPlan, AModelsOwnPolicyComesBeforeTheGeneralOne) {
  auto own = offer("m", {1, 2});
  own.policy = parse_version_policy("all");
  ServingWishes wishes;
  EXPECT_EQ(plan_serving(std::vector{own}, wishes).load.size(), 2U);
  wishes.policies["m"] = parse_version_policy("1");
  EXPECT_THAT(plan_serving(std::vector{own}, wishes).load, ElementsAre(Pair("m", 1)));
}

TEST(ServingPlan, ReferencesAreLoadedBesides) {
  ServingWishes wishes;
  wishes.references = {"mnist@champion", "mnist:1", "mnist", "cats:1"};
  const ServingPlan plan = plan_serving(kModels, wishes);
  EXPECT_THAT(plan.load, ElementsAre(Pair("cats", 1), Pair("cats", 2), Pair("mnist", 1),
                                     Pair("mnist", 3), Pair("mnist", 5)));
  EXPECT_EQ(version_of(plan, "mnist:1"), "1");
  EXPECT_THAT(plan.problems, IsEmpty());
}

TEST(ServingPlan, ReferencesToNothingSayWhatThereIs) {
  const auto problem = [](const std::string& reference) {
    ServingWishes wishes;
    wishes.references = {reference};
    return plan_serving(kModels, wishes).problems[reference];
  };
  EXPECT_THAT(problem("dogs"), HasSubstr("there is no 'dogs'; there are: cats, mnist"));
  EXPECT_THAT(problem("mnist@best"), HasSubstr("'mnist' has: champion, old"));
  EXPECT_THAT(problem("cats@best"), HasSubstr("'cats' has: none"));
  EXPECT_THAT(problem("mnist:6"), HasSubstr("'mnist' has: 1, 2, 3, 4, 5"));
  for (const char* reference : {"mnist:", "mnist:x", "mnist:0", "mnist:-1", "mnist:3x"}) {
    EXPECT_THAT(problem(reference), HasSubstr("there is no version")) << reference;
  }
  EXPECT_THAT(problem(""), HasSubstr("there is no"));
}

TEST(ServingPlan, WhatIsStillBeingWrittenWaits) {
  auto growing = offer("m", {1, 2}, {{"next", 2}});
  growing.versions[1].settled = false;
  const ServingPlan plan = plan_serving(std::vector{growing}, {});
  EXPECT_THAT(plan.load, ElementsAre(Pair("m", 1)));
  EXPECT_EQ(version_of(plan, "m"), "1");
  EXPECT_THAT(plan.problems.at("m@next"), HasSubstr("changed a moment ago"));
  EXPECT_THAT(plan.not_chosen.at({"m", 2}), HasSubstr("changed a moment ago"));
}

TEST(ServingPlan, UnloadedAndBrokenModelsAreNot) {
  ServingWishes wishes;
  wishes.unloaded = {"cats"};
  wishes.references = {"cats:1"};
  auto models = kModels;
  models[1].problem = "config.pbtxt: broken";
  const ServingPlan plan = plan_serving(models, wishes);
  EXPECT_THAT(plan.load, IsEmpty());
  EXPECT_EQ(plan.not_chosen.at({"cats", 2}), "unloaded");
  EXPECT_EQ(plan.not_chosen.at({"mnist", 5}), "config.pbtxt: broken");
  EXPECT_THAT(plan.problems, UnorderedElementsAre(Pair("cats:1", HasSubstr("unloaded"))));
}

}  // namespace
}  // namespace onnxop
