#include "onnxop/load/range.h"

#include <charconv>
#include <cstdint>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::size_t kMost = 1000;

class RangeText {
 public:
  explicit RangeText(std::string_view text) : text_(text) {}

  std::vector<int> parse() const {
    const auto parts = split(text_, ':');
    if (parts.size() == 1) {
      std::vector<int> numbers;
      for (const std::string_view each : split(text_, ',')) {
        numbers.push_back(number(each));
      }
      return limited(std::move(numbers));
    }
    if (parts.size() > 3) {
      refuse();
    }
    const std::int64_t first = number(parts[0]);
    const std::int64_t last = number(parts[1]);
    std::string_view step = parts.size() == 3 ? parts[2] : "1";
    const bool times = step.starts_with('x');
    const int by = number(times ? step.substr(1) : step);
    if (first > last || (times && by < 2)) {
      refuse();
    }
    std::vector<int> numbers;
    for (std::int64_t each = first; each <= last; each = times ? each * by : each + by) {
      numbers.push_back(static_cast<int>(each));
      if (numbers.size() > kMost) {
        refuse();
      }
    }
    return numbers;
  }

 private:
  static std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
      parts.push_back(text.substr(0, at));
      text.remove_prefix(at + 1);
    }
    parts.push_back(text);
    return parts;
  }

  int number(std::string_view digits) const {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 1) {
      refuse();
    }
    return value;
  }

  std::vector<int> limited(std::vector<int> numbers) const {
    if (numbers.size() > kMost) {
      refuse();
    }
    return numbers;
  }

  [[noreturn]] void refuse() const {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no range: expected N, N,N,…, FIRST:LAST, FIRST:LAST:STEP or FIRST:LAST:xFACTOR, "
         "of at most {} numbers over 0",
         text_, kMost);
  }

  std::string_view text_;
};

}  // namespace

std::vector<int> parse_range(std::string_view text) {
  return RangeText(text).parse();
}

}  // namespace onnxop
