#include "onnxop/server/request_log.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

SteadyTime at(int ms) {
  return SteadyTime(std::chrono::hours(1)) + std::chrono::milliseconds(ms);
}

RequestRecord record() {
  RequestRecord made{.protocol = "http", .method = "POST", .path = "/api/digit", .status = 200};
  made.bytes = 12;
  made.begun = at(0);
  made.read = at(10);
  made.times = CallTimes{at(13), at(33), at(38), at(138), 1};
  made.answered = at(145);
  return made;
}

std::vector<Json> logged(const RequestLogOptions& options, const RequestRecord& of) {
  testing::internal::CaptureStderr();
  log_request(options, of);
  std::istringstream lines(testing::internal::GetCapturedStderr());
  std::vector<Json> entries;
  for (std::string line; std::getline(lines, line);) {
    entries.push_back(parse_json(line, "log line"));
  }
  return entries;
}

TEST(RequestLog, SplitsTheTime) {
  const TimeSplit split = split_time(record());
  EXPECT_DOUBLE_EQ(split.total, 145);
  EXPECT_DOUBLE_EQ(split.read, 10);
  EXPECT_DOUBLE_EQ(split.decode, 3 + 5);
  EXPECT_DOUBLE_EQ(split.queue, 20);
  EXPECT_DOUBLE_EQ(split.compute, 100);
  EXPECT_DOUBLE_EQ(split.write, 7);
}

TEST(RequestLog, ACallThatWasNeverRunHasWaited) {
  RequestRecord expired = record();
  expired.times->run_rows = 0;
  EXPECT_DOUBLE_EQ(split_time(expired).queue, 132);
  EXPECT_DOUBLE_EQ(split_time(expired).write, 0);
  expired.times.reset();
  EXPECT_DOUBLE_EQ(split_time(expired).write, 135);
}

TEST(RequestLog, OneLineARequest) {
  const auto trace = read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  RequestRecord traced = record();
  traced.trace = &*trace;
  ServedModel model;
  model.name = "mnist";
  model.version = 3;
  traced.model = &model;
  const auto entries = logged({}, traced);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0]["message"], "request");
  EXPECT_EQ(entries[0]["path"], "/api/digit");
  EXPECT_EQ(entries[0]["milliseconds"], 145.0);
  EXPECT_EQ(entries[0]["version"], 3);
  EXPECT_EQ(entries[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(entries[0]["parent_id"], "b7ad6b7169203331");
  EXPECT_EQ(entries[0]["span_id"], std::string(trace->span()));
  EXPECT_EQ(logged({}, record())[0].count("trace_id"), 0U);
}

TEST(RequestLog, SlowOnesSayWhereTheirTimeWent) {
  const auto entries = logged({.access = false, .slow_ms = 144}, record());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0]["level"], "warning");
  EXPECT_EQ(entries[0]["message"], "slow request");
  EXPECT_EQ(entries[0]["compute_ms"], 100.0);
  EXPECT_EQ(entries[0]["queue_ms"], 20.0);
  EXPECT_TRUE(logged({.access = false, .slow_ms = 145}, record()).empty());
  EXPECT_TRUE(logged({.access = false, .slow_ms = 0}, record()).empty());
}

}  // namespace
}  // namespace onnxop
