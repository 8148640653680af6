#include "onnxop/base/log.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/json_writer.h"

namespace onnxop {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

struct LogState {
  LogLevel level = LogLevel::kInfo;
  std::shared_ptr<spdlog::logger> logger;  // of readable lines; null: lines are JSON
};

LogState make_state(const LogOptions& options) {
  LogState state;
  state.level = options.level;
  const bool json = options.format == LogFormat::kJson ||
                    (options.format == LogFormat::kAuto && ::isatty(STDERR_FILENO) == 0);
  if (!json) {
    state.logger = std::make_shared<spdlog::logger>(
        "onnxop", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    state.logger->set_pattern("%H:%M:%S.%e %^%-7l%$ %v");
    state.logger->set_level(to_spdlog(options.level));
  }
  return state;
}

LogState& state() {
  static LogState current = make_state({});
  return current;
}

void write_value(JsonWriter& line, std::string_view value) {
  line.text(value);
}

void write_value(JsonWriter& line, std::int64_t value) {
  line.integer(value);
}

void write_value(JsonWriter& line, double value) {
  line.number(value);
}

/// In `buffer`, whose memory is kept from line to line.
std::string json_line(std::string buffer, LogLevel level, std::string_view message,
                      std::span<const LogField> fields) {
  JsonWriter line(std::move(buffer));
  const auto name = spdlog::level::to_string_view(to_spdlog(level));
  line.open_object()
      .text("time", format_time(std::chrono::system_clock::now()))
      .text("level", {name.data(), name.size()})
      .text("message", message);
  for (const auto& field : fields) {
    line.key(field.key);
    std::visit([&](const auto& value) { write_value(line, value); }, field.value);
  }
  line.close_object();
  return line.take() + '\n';
}

/// With one system call, so that lines of several threads or processes do not mix. Lines that
/// nobody takes are lost: a log must not stop the program.
void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

std::string text_line(std::string_view message, std::span<const LogField> fields) {
  std::string line(message);
  for (const auto& field : fields) {
    std::visit([&](const auto& value) { line += format(" {}={}", field.key, value); }, field.value);
  }
  return line;
}

}  // namespace

void init_logging(const LogOptions& options) {
  state() = make_state(options);
}

void log_fields(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  const auto& current = state();
  if (level < current.level) {
    return;
  }
  if (current.logger) {
    current.logger->log(to_spdlog(level), spdlog::string_view_t(text_line(message, fields)));
    return;
  }
  thread_local std::string line;
  line = json_line(std::move(line), level, message, fields);
  write_to_stderr(line);
}

}  // namespace onnxop
