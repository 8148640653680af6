#include "onnxop/server/checked_options.h"

#include <algorithm>
#include <thread>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

int processors() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

ServerOptions checked_options(ServerOptions options) {
  const auto in_range = [](std::string_view name, std::int64_t value, std::int64_t low,
                           std::int64_t high) {
    if (value < low || value > high) {
      fail(ErrorCode::kInvalidArgument, "server option {}: got {}, expected {} to {}", name, value,
           low, high);
    }
  };
  constexpr std::int64_t kMany = 1'000'000'000;
  const HttpLimits& limits = options.limits;
  in_range("port", options.port, 0, 65535);
  in_range("manage_port", options.manage_port, -1, 65535);
  in_range("io_threads", options.io_threads, 0, 1024);
  in_range("spin in us", options.spin.count(), 0, 100'000);
  if (options.tracking) {
    in_range("tracking port", options.tracking->port, -1, 65535);
    in_range("tracking threads", options.tracking->threads, 1, 1024);
    in_range("tracking writers", options.tracking->writers, 1, 1024);
    in_range("tracking queue", options.tracking->max_queued, 1, kMany);
  }
  in_range("max_pixels", options.max_pixels, 1, std::int64_t{1} << 40);
  in_range("max_connections", limits.max_connections, 1, kMany);
  in_range("max_requests", limits.max_requests, 0, kMany);
  in_range("max_header_bytes", static_cast<std::int64_t>(limits.max_header_bytes), 256, 1 << 24);
  in_range("max_target_bytes", static_cast<std::int64_t>(limits.max_target_bytes), 1, 1 << 24);
  in_range("handshake_timeout in ms", limits.handshake_timeout.count(), 1, kMany);
  in_range("header_timeout in ms", limits.header_timeout.count(), 1, kMany);
  in_range("body_timeout in ms", limits.body_timeout.count(), 1, kMany);
  in_range("write_timeout in ms", limits.write_timeout.count(), 1, kMany);
  in_range("idle_timeout in ms", limits.idle_timeout.count(), 1, kMany);
  in_range("linger_timeout in ms", limits.linger_timeout.count(), 1, kMany);
  in_range("drain_grace in ms", options.drain_grace.count(), 0, kMany);
  in_range("drain_timeout in ms", options.drain_timeout.count(), 0, kMany);
  if (options.io_threads == 0) {
    options.io_threads = std::max(1, processors() / 4);
  }
  if (processors() == 1) {
    options.spin = std::chrono::microseconds(0);
  }
  return options;
}

}  // namespace onnxop
