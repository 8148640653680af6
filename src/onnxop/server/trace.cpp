#include "onnxop/server/trace.h"

#include <algorithm>
#include <random>

namespace onnxop {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

bool is_hex(std::string_view text) {
  return text.find_first_not_of(kDigits) == std::string_view::npos;
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

template <std::size_t kSize>
void take(std::string_view from, std::array<char, kSize>& to) {
  std::copy_n(from.begin(), kSize, to.begin());
}

/// Ids have to differ, not to be unpredictable.
void draw_span(std::array<char, 16>& span) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  do {
    std::uint64_t bits = random();
    for (char& each : span) {
      each = kDigits[bits & 15U];
      bits >>= 4U;
    }
  } while (is_zero({span.data(), span.size()}));
}

}  // namespace

std::string TraceContext::traceparent() const {
  std::string text = "00-";
  text.append(trace()).append("-").append(span()).append("-");
  text.append(flags.data(), flags.size());
  return text;
}

std::optional<TraceContext> read_traceparent(std::string_view text) {
  constexpr std::size_t kSize = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  const bool whole =
      text.size() == kSize || (version != "00" && text[kSize] == '-');  // a later version has more
  if (!whole || !is_hex(version) || version == "ff" || !is_hex(trace) || is_zero(trace) ||
      !is_hex(parent) || is_zero(parent) || !is_hex(flags)) {
    return std::nullopt;
  }
  TraceContext context;
  take(trace, context.trace_id);
  take(parent, context.parent_id);
  take(flags, context.flags);
  draw_span(context.span_id);
  return context;
}

}  // namespace onnxop
