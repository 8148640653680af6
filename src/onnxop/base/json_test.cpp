#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

std::string error_of(std::string_view text, int depth = 64) {
  try {
    parse_json(text, "body", depth);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

TEST(Json, KeepsTheOrderOfKeys) {
  EXPECT_EQ(dump_json(parse_json(R"({"b": 1, "a": [true, null]})", "body")),
            R"({"b":1,"a":[true,null]})");
}

TEST(Json, SaysWhatWasParsedAndWhere) {
  const auto message = error_of(R"({"a": 1,})");
  EXPECT_THAT(message, testing::HasSubstr("body: not valid JSON"));
  EXPECT_THAT(message, testing::HasSubstr("column 9"));
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_EQ(error_of("[[[]]]", 3), "");
  EXPECT_THAT(error_of("[[[[]]]]", 2), testing::HasSubstr("deeper than 2"));
  EXPECT_NE(error_of(std::string(1'000'000, '[')), "");
}

TEST(Json, WritesBrokenUtf8AsReplacementCharacter) {
  EXPECT_EQ(dump_json(Json("\xff")), "\"\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace onnxop
