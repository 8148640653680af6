#pragma once
// Times that people write and read, as milliseconds since 1970 UTC.

#include <cstdint>
#include <string>
#include <string_view>

namespace onnxop {

/// RFC 3339 in UTC: "2026-05-03T14:00:00.000Z".
std::string time_text(std::int64_t unix_ms);

/// What a time says: a moment, or for a date alone the whole day.
struct TimeRange {
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
};

/// ISO 8601: "2026-05-03", "2026-05-03T14:00", "2026-05-03 14:00:30.5", each with "Z" or "+02:00"
/// after it, or else in the local time zone (TZ). Years 1970 to 9999. Throws
/// Error{kInvalidArgument}.
TimeRange parse_time_text(std::string_view text);

/// "30d", "12h", "1d12h30m10s": milliseconds. Throws Error{kInvalidArgument} for anything else, and
/// for more than 100,000 days.
std::int64_t parse_duration_text(std::string_view text);

}  // namespace onnxop
