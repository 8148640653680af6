#include "onnxop/base/clock.h"

#include <ctime>

#include "onnxop/base/format.h"

namespace onnxop {

std::int64_t to_unix_ms(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string format_time(WallTime time) {
  // Most calls are of the same second as the one before, for a log.
  thread_local std::time_t last = 0;
  thread_local std::string text = "1970-01-01T00:00:00.";
  const std::int64_t ms = to_unix_ms(time);
  const std::int64_t of_second = ((ms % 1000) + 1000) % 1000;
  const std::time_t second = (ms - of_second) / 1000;
  if (second != last) {
    std::tm utc{};
    gmtime_r(&second, &utc);
    text = format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", utc.tm_year + 1900, utc.tm_mon + 1,
                  utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    last = second;
  }
  const auto digit = [](std::int64_t number) { return static_cast<char>('0' + number); };
  std::string result;
  result.reserve(text.size() + 4);
  result = text;
  result += {digit(of_second / 100), digit(of_second / 10 % 10), digit(of_second % 10), 'Z'};
  return result;
}

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace onnxop
