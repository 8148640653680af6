#pragma once
// Logs go to standard error: readable lines on a terminal, one JSON object a line elsewhere. Safe
// from any thread.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>

#include "onnxop/base/format.h"

namespace onnxop {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kAuto, kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;  // kAuto: text when standard error is a terminal
};

/// Once, before other threads log. Without it, the defaults hold.
void init_logging(const LogOptions& options);

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double> value;
};

void log_fields(LogLevel level, std::string_view message, std::span<const LogField> fields);

inline void log_fields(LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields) {
  log_fields(level, message, std::span(fields.begin(), fields.size()));
}

template <typename... Args>
void log_info(FormatString<Args...> text, Args&&... args) {
  log_fields(LogLevel::kInfo, format(text, std::forward<Args>(args)...), {});
}

template <typename... Args>
void log_warning(FormatString<Args...> text, Args&&... args) {
  log_fields(LogLevel::kWarning, format(text, std::forward<Args>(args)...), {});
}

template <typename... Args>
void log_error(FormatString<Args...> text, Args&&... args) {
  log_fields(LogLevel::kError, format(text, std::forward<Args>(args)...), {});
}

}  // namespace onnxop
