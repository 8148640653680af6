#include "onnxop/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

std::string logged(LogFormat log_format, LogLevel level) {
  testing::internal::CaptureStderr();
  init_logging({.level = LogLevel::kInfo, .format = log_format});
  log_fields(level, "request",
             {{"path", std::string_view("/a\"\n")}, {"status", std::int64_t{200}}, {"ms", 0.5}});
  init_logging({});
  return testing::internal::GetCapturedStderr();
}

TEST(Log, JsonIsOneObjectALine) {
  const auto text = logged(LogFormat::kJson, LogLevel::kWarning);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto line = parse_json(text, "log");
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "request");
  EXPECT_EQ(line["path"], "/a\"\n");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["ms"], 0.5);
  EXPECT_EQ(line["time"].get<std::string>().size(), 24U);
}

TEST(Log, TextIsReadable) {
  EXPECT_THAT(logged(LogFormat::kText, LogLevel::kInfo),
              testing::HasSubstr("request path=/a\"\n status=200 ms=0.5"));
}

TEST(Log, LowerLevelsAreLeftOut) {
  EXPECT_EQ(logged(LogFormat::kText, LogLevel::kDebug), "");
}

}  // namespace
}  // namespace onnxop
