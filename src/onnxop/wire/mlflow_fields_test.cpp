#include "onnxop/wire/mlflow_fields.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "no error";
}

TEST(MlflowFields, TextsNumbersAndListsOfABody) {
  const MlflowFields fields(R"({"name": "käse", "start": "17", "end": 18, "half": 0.5,
      "nan": "NaN", "low": "-Infinity", "yes": true, "ids": ["1", "2"], "none": null,
      "tags": [{"key": "a", "value": "1"}, {"key": "b"}, {"key": "a", "value": "2"}],
      "dataset": {"name": "d"}, "unknown": {"x": [[]]}})");
  EXPECT_EQ(fields.required("name"), "käse");
  EXPECT_EQ(fields.integer("start"), 17);
  EXPECT_EQ(fields.integer("end"), 18);
  EXPECT_EQ(fields.number("half"), 0.5);
  EXPECT_EQ(fields.number("end"), 18);
  EXPECT_TRUE(std::isnan(*fields.number("nan")));
  EXPECT_EQ(fields.number("low"), -HUGE_VAL);
  EXPECT_EQ(fields.truth("yes"), true);
  EXPECT_THAT(fields.texts("ids"), ElementsAre("1", "2"));
  EXPECT_FALSE(fields.has("none"));
  EXPECT_EQ(fields.find_text("none"), std::nullopt);
  EXPECT_THAT(fields.pairs("tags"), ElementsAre(Pair("a", "2"), Pair("b", "")));
  EXPECT_EQ(fields.object("dataset")->required("name"), "d");
  EXPECT_EQ(fields.object("other"), std::nullopt);
}

TEST(MlflowFields, AQuerySaysTheSame) {
  const MlflowFields fields(MlflowFields::Query{{"run_ids", "a"},
                                                {"run_ids", "b"},
                                                {"max_results", "5"},
                                                {"all", "True"},
                                                {"view_type", "ALL"}});
  EXPECT_THAT(fields.texts("run_ids"), ElementsAre("a", "b"));
  EXPECT_EQ(fields.max_results(100, 1000), 5);
  EXPECT_EQ(fields.truth("all"), true);
  EXPECT_EQ(fields.view_type("view_type"), ViewType::kAll);
  EXPECT_EQ(fields.text("other"), "");
}

TEST(MlflowFields, NoBodyIsAnObjectWithoutFields) {
  EXPECT_EQ(MlflowFields(std::string_view()).text("a"), "");
}

TEST(MlflowFields, WhatIsWrongIsNamed) {
  const MlflowFields fields(R"({"name": 5, "empty": "", "end": "x", "large": 1e30,
      "yes": "maybe", "ids": "1", "tags": [{"value": "1"}], "max_results": 0, "half": "inf"})");
  EXPECT_THAT(message_of([&] { fields.required("empty"); }),
              HasSubstr("Missing value for required parameter 'empty'"));
  EXPECT_THAT(message_of([&] { fields.required("absent"); }),
              HasSubstr("Missing value for required parameter 'absent'"));
  EXPECT_THAT(message_of([&] { fields.text("name"); }),
              HasSubstr("Invalid value 5 for parameter 'name'"));
  EXPECT_THAT(message_of([&] { fields.integer("end"); }), HasSubstr("'end'"));
  EXPECT_THAT(message_of([&] { fields.integer("large"); }), HasSubstr("'large'"));
  EXPECT_THAT(message_of([&] { fields.number("half"); }), HasSubstr("'half'"));
  EXPECT_THAT(message_of([&] { fields.truth("yes"); }), HasSubstr("'yes'"));
  EXPECT_THAT(message_of([&] { fields.texts("ids"); }), HasSubstr("'ids'"));
  EXPECT_THAT(message_of([&] { fields.pairs("tags"); }), HasSubstr("'tags[0].key'"));
  EXPECT_THAT(message_of([&] { fields.max_results(10, 100); }), HasSubstr("'max_results'"));
  for (const char* bad : {"[]", "5", "\"x\"", "{", "{\"a\":}", "null"}) {
    EXPECT_NE(message_of([&] { MlflowFields{std::string_view(bad)}; }), "no error") << bad;
  }
}

TEST(MlflowFields, ARunHasTwoNames) {
  EXPECT_EQ(MlflowFields(R"({"run_id": "a", "run_uuid": "b"})").run_id(), "a");
  EXPECT_EQ(MlflowFields(R"({"run_uuid": "b"})").run_id(), "b");
  EXPECT_THAT(message_of([] { MlflowFields("{}").run_id(); }), HasSubstr("'run_id'"));
}

TEST(MlflowFields, EnumerationsHaveNamesAndNumbers) {
  EXPECT_EQ(MlflowFields(R"({"view_type": 2})").view_type("view_type"), ViewType::kDeletedOnly);
  EXPECT_EQ(MlflowFields("{}").view_type("view_type"), ViewType::kActiveOnly);
  EXPECT_THAT(message_of([] { MlflowFields(R"({"v": "SOME"})").view_type("v"); }),
              HasSubstr("ACTIVE_ONLY"));
}

TEST(MlflowFields, ExperimentsAreNumbers) {
  EXPECT_EQ(MlflowFields(R"({"experiment_id": "12"})").experiment_id(), 12);
  for (const char* bad : {R"({"experiment_id": "-1"})", R"({"experiment_id": "a"})",
                          R"({"experiment_id": "1 "})", "{}"}) {
    EXPECT_NE(message_of([&] { MlflowFields{std::string_view(bad)}.experiment_id(); }), "no error")
        << bad;
  }
}

}  // namespace
}  // namespace onnxop
