#include "onnxop/base/time_text.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

constexpr std::int64_t kTwoOClock = 1777816800000;  // 2026-05-03T14:00:00Z

TEST(TimeText, TakesMomentsWithTheirZone) {
  for (const char* text : {"2026-05-03T14:00Z", "2026-05-03 14:00:00Z", "2026-05-03T16:00+02:00",
                           "2026-05-03T16:00:00.000+0200", "2026-05-03T08:30:00-05:30"}) {
    EXPECT_EQ(parse_time_text(text).first_ms, kTwoOClock) << text;
    EXPECT_EQ(parse_time_text(text).last_ms, kTwoOClock) << text;
  }
  EXPECT_EQ(parse_time_text("2026-05-03T14:00:01.5Z").first_ms, kTwoOClock + 1500);
  EXPECT_EQ(time_text(kTwoOClock + 1500), "2026-05-03T14:00:01.500Z");
}

TEST(TimeText, WithoutAZoneTimesAreLocal) {
  setenv("TZ", "XST-3", 1);  // three hours before UTC
  tzset();
  EXPECT_EQ(parse_time_text("2026-05-03T17:00").first_ms, kTwoOClock);
  EXPECT_EQ(time_text(parse_time_text("2026-05-03").first_ms), "2026-05-02T21:00:00.000Z");
  EXPECT_EQ(time_text(parse_time_text("2026-05-03").last_ms), "2026-05-03T20:59:59.999Z");
  unsetenv("TZ");
  tzset();
}

TEST(TimeText, ADateIsAWholeDay) {
  const TimeRange day = parse_time_text("2024-02-29Z");
  EXPECT_EQ(time_text(day.first_ms), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(time_text(day.last_ms), "2024-02-29T23:59:59.999Z");
}

TEST(TimeText, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2026", "2026-05", "2026-13-01", "2023-02-29", "2026-05-03T", "2026-05-03T14",
        "2026-05-03T24:00", "2026-05-03T14:60", "2026-05-03T14:00:00.", "2026-05-03T14:00x",
        "2026-05-03T14:00+2", "3 May", "1969-01-01", "2026-05-03T14:00Z ", "-026-05-03"}) {
    EXPECT_EQ(code_of([&] { parse_time_text(text); }), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(DurationText, IsDaysHoursMinutesAndSeconds) {
  EXPECT_EQ(parse_duration_text("10s"), 10'000);
  EXPECT_EQ(parse_duration_text("30d"), 2'592'000'000);
  EXPECT_EQ(parse_duration_text("1d2h3m4s"), 93'784'000);
  EXPECT_EQ(parse_duration_text("36h5s"), 129'605'000);
  EXPECT_EQ(parse_duration_text("0d"), 0);
  EXPECT_EQ(parse_duration_text("100000d"), 8'640'000'000'000);
  for (const char* bad :
       {"", "d", "10", "1w", "1h1d", "1d1d", "-1d", "+1d", "1.5d", "1d ", " 1d", "100001d",
        "100000d1s", "99999999999999999999d", "9223372036854775807s"}) {
    EXPECT_THROW(parse_duration_text(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace onnxop
