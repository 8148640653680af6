#pragma once
// Where a request belongs in a distributed trace: the field traceparent of W3C Trace Context,
// version 00 (TRACE-ID and PARENT-ID in lower-case hexadecimal, and flags).

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace onnxop {

struct TraceContext {
  std::array<char, 32> trace_id{};
  std::array<char, 16> parent_id{};  // the caller's span
  std::array<char, 16> span_id{};    // this server's part of the trace
  std::array<char, 2> flags{};

  std::string_view trace() const { return {trace_id.data(), trace_id.size()}; }
  std::string_view parent() const { return {parent_id.data(), parent_id.size()}; }
  std::string_view span() const { return {span_id.data(), span_id.size()}; }

  /// What goes back to the caller: its trace, with this server's span.
  std::string traceparent() const;
};

/// With a new random span. Of a later version than 00 what 00 has is read. None for a text that is
/// no traceparent: the specification says to go on as if there were none. Safe from any thread.
std::optional<TraceContext> read_traceparent(std::string_view text);

}  // namespace onnxop
