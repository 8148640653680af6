#include "onnxop/wire/traffic_json.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string error_of(std::string_view json) {
  try {
    parse_traffic_request(json);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

TEST(TrafficRequest, IsReadInItsOrder) {
  const TrafficRequest request = parse_traffic_request(
      R"({"split": {"zebra": 90, "ape": 10}, "shadow": {"target": "3", "percent": 2.5},
          "rollback": {"max_error_rate": 0.05, "max_disagreement": 1, "min_requests": 20,
                       "compare_percent": 50}})");
  EXPECT_THAT(request.split, ElementsAre(Pair("zebra", 90), Pair("ape", 10)));
  EXPECT_EQ(request.shadow.value().target, "3");
  EXPECT_EQ(request.shadow.value().percent, 2.5);
  EXPECT_EQ(request.rollback.value().max_error_rate, 0.05);
  EXPECT_EQ(request.rollback.value().max_disagreement, 1.0);
  EXPECT_EQ(request.rollback.value().min_requests, 20);
  EXPECT_EQ(request.rollback.value().compare_percent, 50.0);
}

TEST(TrafficRequest, WhatIsLeftOutOrNullIsNone) {
  const TrafficRequest request =
      parse_traffic_request(R"({"shadow": {"target": "a"}, "split": null, "rollback": null})");
  EXPECT_TRUE(request.split.empty());
  EXPECT_FALSE(request.shadow.value().percent);
  EXPECT_FALSE(request.rollback);
}

TEST(TrafficRequest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(error_of({}), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("{"), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("the body: got an array, expected an object"));
  EXPECT_THAT(error_of(R"({"splitt": {}})"),
              HasSubstr("'splitt' is not known, did you mean 'split'"));
  EXPECT_THAT(error_of(R"({"split": {"a": 1, "a": 2}})"), HasSubstr("split: 'a' is given twice"));
  EXPECT_THAT(error_of(R"({"split": {}, "split": {}})"), HasSubstr("'split' is given twice"));
  EXPECT_THAT(error_of(R"({"split": {"a": 1.5}})"),
              HasSubstr("the weight of 'a': got 1.5, expected a whole number"));
  EXPECT_THAT(error_of(R"({"split": {"a": "1"}})"), HasSubstr("got a text"));
  EXPECT_THAT(error_of(R"({"split": ["a"]})"), HasSubstr("split: got an array"));
  EXPECT_THAT(error_of(R"({"shadow": "a"})"), HasSubstr("shadow: got a text"));
  EXPECT_THAT(error_of(R"({"shadow": {"percent": 1}})"), HasSubstr("expected a target"));
  EXPECT_THAT(error_of(R"({"shadow": {"target": "a", "percent": "1"}})"),
              HasSubstr("percent: got a text, expected a number"));
  EXPECT_THAT(error_of(R"({"rollback": {"max_error": 1}})"),
              HasSubstr("did you mean 'max_error_rate'"));
  EXPECT_THAT(error_of(R"({"rollback": {"min_requests": 1}})"), HasSubstr("got no limit"));
}

TEST(TrafficReport, TellsAllThereIs) {
  TrafficReport report;
  report.model = "mnist";
  report.plan =
      parse_traffic_request(R"({"split":{"b":1,"a":0},"shadow":{"target":"a","percent":5.0},)"
                            R"("rollback":{"max_error_rate":0.5,"min_requests":7}})");
  report.targets = {{"b", 3, 1, 12, {}},
                    {"a", {}, 0, 4, TrafficReport::Comparisons{1, 0, 1, 0, 0, {}}}};
  report.shadow = {2,
                   {9, 1, 2, 3, 3, {{"p", 0.5}, {"q", std::numeric_limits<double>::infinity()}}}};
  report.rolled_back = {"a", "why", 7, 6, 5, 4};
  EXPECT_EQ(traffic_report_json(report),
            R"({"model":"mnist","split":{"b":1,"a":0},"shadow":{"target":"a","percent":5.0},)"
            R"("rollback":{"max_error_rate":0.5,"min_requests":7},"targets":[)"
            R"({"target":"b","version":3,"share":1.0,"requests":12},)"
            R"({"target":"a","version":null,"share":0.0,"requests":4,"comparisons":{"requests":1,)"
            R"("dropped":0,"failed":1,"agreed":0,"disagreed":0,"largest_difference":{}}}],)"
            R"("shadowed":{"requests":9,"dropped":1,"failed":2,"agreed":3,"disagreed":3,)"
            R"("largest_difference":{"p":0.5,"q":null},"version":2},)"
            R"("rolled_back":{"target":"a","reason":"why","figures":{"requests":7,"faults":6,)"
            R"("comparisons":5,"disagreements":4}}})");
}

TEST(TrafficReport, NullIsWhatThereIsNot) {
  TrafficReport report;
  report.model = "mnist";
  EXPECT_EQ(traffic_report_json(report),
            R"({"model":"mnist","split":null,"shadow":null,"rollback":null,"targets":[],)"
            R"("shadowed":null,"rolled_back":null})");
}

}  // namespace
}  // namespace onnxop
