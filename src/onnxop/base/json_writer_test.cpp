#include "onnxop/base/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

std::string written(std::string_view text) {
  JsonWriter json;
  json.text(text);
  return json.take();
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.open_object().text("a", "b").key("list").open_array().integer(1).integer(2);
  json.open_object().close_object().close_array().truth("yes", true).close_object();
  EXPECT_EQ(json.take(), R"({"a":"b","list":[1,2,{}],"yes":true})");
}

TEST(JsonWriter, EscapesWhatJsonHasNoPlaceFor) {
  EXPECT_EQ(written("a\"b\\c\n\r\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\x7f\"");
  EXPECT_EQ(written("käse 数字 🎉"), "\"käse 数字 🎉\"");
}

TEST(JsonWriter, WhatIsNoUtf8IsReplaced) {
  const std::string_view replacement = "\xEF\xBF\xBD";
  for (const std::string bad :
       {"\xff", "\xc3", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80"}) {
    const std::string json = written("a" + bad + "b");
    EXPECT_NE(json.find(replacement), std::string::npos) << json;
    EXPECT_NO_THROW(parse_json(json, "text"));
  }
}

TEST(JsonWriter, NumbersAreThemselvesAgainWhenTheyAreRead) {
  for (const double value : {0.1, 1.0 / 3, 1e300, 5e-324, -0.0, 123456789.0}) {
    JsonWriter json;
    json.number(value);
    EXPECT_EQ(parse_json(json.take(), "number").get<double>(), value);
  }
  const double infinity = std::numeric_limits<double>::infinity();
  JsonWriter json;
  json.open_array().number(infinity).number(-infinity).number(
      std::numeric_limits<double>::quiet_NaN());
  json.integer(std::numeric_limits<std::int64_t>::min()).close_array();
  EXPECT_EQ(json.take(), R"(["Infinity","-Infinity","NaN",-9223372036854775808])");
}

}  // namespace
}  // namespace onnxop
