#include "onnxop/base/time_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"

namespace onnxop {
namespace {

// Reads a text from its front; nothing is taken where it is not what was asked for.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }

  std::optional<int> take_number(std::size_t digits, int low, int high) {
    if (text_.size() < digits ||
        text_.substr(0, digits).find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
    int value = 0;
    std::from_chars(text_.data(), text_.data() + digits, value);
    if (value < low || value > high) {
      return std::nullopt;
    }
    text_.remove_prefix(digits);
    return value;
  }

  // ".5" -> 500
  std::optional<int> take_milliseconds() {
    const std::size_t end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    if (end == 0 || end > 9) {
      return std::nullopt;
    }
    std::string digits(text_.substr(0, end));
    digits.resize(3, '0');
    text_.remove_prefix(end);
    return std::stoi(digits);
  }

 private:
  std::string_view text_;
};

struct Fields {
  int year = 0, month = 0, day = 0;
  bool whole_day = true;
  int hour = 0, minute = 0, second = 0, millisecond = 0;
  std::optional<int> zone_minutes = {};  // none: local
};

bool read_time(Reader& reader, Fields& fields) {
  const auto hour = reader.take_number(2, 0, 23);
  if (!hour || !reader.take(':')) {
    return false;
  }
  const auto minute = reader.take_number(2, 0, 59);
  if (!minute) {
    return false;
  }
  fields.whole_day = false;
  fields.hour = *hour;
  fields.minute = *minute;
  if (!reader.take(':')) {
    return true;
  }
  const auto second = reader.take_number(2, 0, 59);
  fields.second = second.value_or(0);
  if (!second || !reader.take('.')) {
    return second.has_value();
  }
  const auto millisecond = reader.take_milliseconds();
  fields.millisecond = millisecond.value_or(0);
  return millisecond.has_value();
}

bool read_zone(Reader& reader, Fields& fields) {
  if (reader.done()) {
    return true;
  }
  if (reader.take('Z')) {
    fields.zone_minutes = 0;
    return reader.done();
  }
  const int sign = reader.take('+') ? 1 : reader.take('-') ? -1 : 0;
  const auto hours = reader.take_number(2, 0, 23);
  reader.take(':');
  const auto minutes = reader.take_number(2, 0, 59);
  fields.zone_minutes = sign * (hours.value_or(0) * 60 + minutes.value_or(0));
  return sign != 0 && hours && minutes && reader.done();
}

std::optional<Fields> read_fields(std::string_view text) {
  Reader reader(text);
  const auto year = reader.take_number(4, 1970, 9999);
  const bool dash = reader.take('-');
  const auto month = reader.take_number(2, 1, 12);
  const bool second_dash = reader.take('-');
  const auto day = reader.take_number(2, 1, 31);
  if (!year || !dash || !month || !second_dash || !day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  Fields fields{.year = *year, .month = *month, .day = *day};
  if ((reader.take('T') || reader.take(' ')) && !read_time(reader, fields)) {
    return std::nullopt;
  }
  return date.ok() && read_zone(reader, fields) ? std::optional(fields) : std::nullopt;
}

std::int64_t unix_ms(const Fields& fields, int more_days) {
  std::tm tm{};
  tm.tm_year = fields.year - 1900;
  tm.tm_mon = fields.month - 1;
  tm.tm_mday = fields.day + more_days;
  tm.tm_hour = fields.hour;
  tm.tm_min = fields.minute;
  tm.tm_sec = fields.second;
  tm.tm_isdst = -1;
  const std::time_t seconds =
      fields.zone_minutes ? timegm(&tm) - std::time_t{*fields.zone_minutes} * 60 : mktime(&tm);
  return std::int64_t{seconds} * 1000 + fields.millisecond;
}

}  // namespace

std::string time_text(std::int64_t unix_ms) {
  return format_time(WallTime(std::chrono::milliseconds(unix_ms)));
}

TimeRange parse_time_text(std::string_view text) {
  const auto fields = read_fields(text);
  if (!fields) {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no time: expected 2026-05-03, 2026-05-03T14:00 or 2026-05-03T14:00:00+02:00",
         text);
  }
  const std::int64_t first = unix_ms(*fields, 0);
  return {.first_ms = first, .last_ms = fields->whole_day ? unix_ms(*fields, 1) - 1 : first};
}

std::int64_t parse_duration_text(std::string_view text) {
  constexpr std::array<std::pair<char, std::int64_t>, 4> kUnits{
      {{'d', 86'400'000}, {'h', 3'600'000}, {'m', 60'000}, {'s', 1000}}};
  constexpr std::int64_t kMost = 100'000 * kUnits[0].second;
  std::int64_t sum = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  bool valid = at != end;
  auto unit = kUnits.begin();
  while (valid && at != end) {
    std::int64_t count = 0;
    const auto [stop, error] = std::from_chars(at, end, count);
    valid = error == std::errc() && count >= 0 && stop != end;
    if (valid) {
      unit = std::find_if(unit, kUnits.end(), [unit_begins = *stop](const auto& one) {
        return one.first == unit_begins;
      });
      valid = unit != kUnits.end() && count <= (kMost - sum) / unit->second;
    }
    if (valid) {
      sum += count * unit->second;
      at = stop + 1;
      ++unit;
    }
  }
  if (!valid) {
    fail(
        ErrorCode::kInvalidArgument,
        "'{}' is no duration: expected days, hours, minutes and seconds such as 30d, 12h or 1d12h, "
        "of at most 100000 days",
        text);
  }
  return sum;
}

}  // namespace onnxop
