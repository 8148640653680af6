#include "onnxop/base/log.h"

#include <memory>
#include <string>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
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
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

LogState make_state(const LogOptions& options) {
  LogState state;
  state.json = options.format == LogFormat::kJson ||
               (options.format == LogFormat::kAuto && ::isatty(STDERR_FILENO) == 0);
  if (state.json) {
    state.logger = std::make_shared<spdlog::logger>(
        "onnxop", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    state.logger->set_pattern("%v", spdlog::pattern_time_type::utc);
  } else {
    state.logger = std::make_shared<spdlog::logger>(
        "onnxop", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    state.logger->set_pattern("%H:%M:%S.%e %^%-7l%$ %v");
  }
  state.logger->set_level(to_spdlog(options.level));
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

std::string json_line(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  constexpr std::size_t kUsualBytes = 320;
  JsonWriter line;
  line.reserve(kUsualBytes);
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
  return line.take();
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
  auto& current = state();
  const auto spdlog_level = to_spdlog(level);
  if (current.logger->should_log(spdlog_level)) {
    const auto line = current.json ? json_line(level, message, fields) : text_line(message, fields);
    current.logger->log(spdlog_level, spdlog::string_view_t(line));
  }
}

}  // namespace onnxop
