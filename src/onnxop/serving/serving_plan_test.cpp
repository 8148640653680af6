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

const std::vector<RegisteredModel> kModels{{"cats", 2, {}},
                                           {"mnist", 5, {{"champion", 3}, {"old", 5}}}};

ServingPlan plan(const std::vector<std::string>& references) {
  return plan_serving(kModels, references);
}

TEST(ServingPlan, TheLatestOfEachModel) {
  const ServingPlan result = plan({});
  EXPECT_THAT(result.load, ElementsAre(Pair("cats", 2), Pair("mnist", 5)));
  EXPECT_THAT(result.references,
              UnorderedElementsAre(Pair("cats", Pair("cats", 2)), Pair("mnist", Pair("mnist", 5))));
  EXPECT_THAT(plan_serving({}, {}).load, IsEmpty());
}

TEST(ServingPlan, WhatIsReferredToBesidesEachOnce) {
  const ServingPlan result = plan({"mnist@champion", "mnist:3", "mnist@old", "mnist", "cats:1"});
  EXPECT_THAT(result.load,
              ElementsAre(Pair("cats", 1), Pair("cats", 2), Pair("mnist", 3), Pair("mnist", 5)));
  EXPECT_EQ(result.references.at("mnist@champion"), VersionKey("mnist", 3));
  EXPECT_EQ(result.references.at("mnist@old"), VersionKey("mnist", 5));
  EXPECT_EQ(result.references.at("mnist:3"), VersionKey("mnist", 3));
  EXPECT_EQ(result.references.at("mnist"), VersionKey("mnist", 5));
}

TEST(ServingPlan, ReferencesToNothingSayWhatThereIs) {
  const auto error_of = [](const std::string& reference) {
    try {
      plan({reference});
    } catch (const Error& e) {
      return format("{}: {}", error_code_name(e.code()), e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of("dogs"), HasSubstr("not_found: model 'dogs': the store has no 'dogs'; it "
                                          "has: cats, mnist"));
  EXPECT_THAT(error_of("mnist@best"), HasSubstr("'mnist' has: champion, old"));
  EXPECT_THAT(error_of("cats@best"), HasSubstr("'cats' has: none"));
  EXPECT_THAT(error_of("mnist:6"), HasSubstr("latest version of 'mnist' is 5"));
  for (const char* reference : {"mnist:", "mnist:x", "mnist:0", "mnist:-1", "mnist:3x"}) {
    EXPECT_THAT(error_of(reference), HasSubstr("invalid_argument")) << reference;
  }
  EXPECT_THAT(error_of(""), HasSubstr("not_found"));
}

}  // namespace
}  // namespace onnxop
