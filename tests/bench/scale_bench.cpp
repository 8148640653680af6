// Many connections, many models, versions that come while requests do.

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include <sys/resource.h>

#include "bench/bench.h"
#include "bench/bench_models.h"
#include "bench/load_round.h"
#include "bench/server_process.h"
#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/load/http_client.h"
#include "onnxop/registry/registry.h"
#include "onnxop/server/test_http_client.h"

namespace onnxop::bench {
namespace {

using testing_support::TempDir;

/// As many descriptors as the system lets this process have; returns how many.
std::size_t raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::size_t answered(std::deque<testing_server::Client>& connections) {
  return static_cast<std::size_t>(
      std::count_if(connections.begin(), connections.end(), [](testing_server::Client& each) {
        return each.ask("GET /health/live HTTP/1.1\r\nHost: bench\r\n\r\n").status == 200;
      }));
}

Json measure_idle(const std::filesystem::path& store) {
  const std::size_t count = std::min<std::size_t>(10'000, raise_descriptors() - 100);
  ServerProcess server({"--store", store, "--max-connections", "11000", "--log-level", "warning"});
  const std::uint16_t port = server.port();
  const double before = server.resident_mb();
  std::deque<testing_server::Client> connections;
  for (std::size_t i = 0; i < count; ++i) {
    connections.emplace_back(port);
  }
  const std::size_t first = answered(connections);
  const double held = server.resident_mb();
  const std::size_t again = answered(connections);
  return {{"connections", count},
          {"answered", first},
          {"answered_again", again},
          {"rss_mb", held},
          {"kb_each", 1024 * (held - before) / static_cast<double>(count)}};
}

double median_ratio(const std::vector<Round>& of, const std::vector<Round>& to) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < of.size(); ++i) {
    ratios.push_back(of[i].per_second / to[i].per_second);
  }
  return median(std::move(ratios));
}

/// Few and many active connections in turn; then the few and an open loop at 70 % of what they have
/// just reached, since what the machine gives changes. Not behind the many, whose last requests are
/// still run when their round is over.
Json measure_load(const std::filesystem::path& store) {
  raise_descriptors();
  ServerProcess server({"--store", store, "--max-connections", "2000", "--max-queue", "2000"});
  const HttpTarget target = png_target(server.port());
  double reached = 0;
  const auto few = [&] {
    const Round round = http_round(target, 64, 1);
    reached = round.per_second;
    return round;
  };
  std::vector<Contender> closed{{"64", few}, {"1000", [&] { return http_round(target, 1000, 1); }}};
  take_turns(closed, 7);
  std::vector<Contender> open{{"64", few},
                              {"open", [&] { return http_round(target, 256, 2, 0.7 * reached); }}};
  take_turns(open, 9);
  std::vector<double> p99_to_p50;
  for (const Round& each : open[1].rounds) {
    p99_to_p50.push_back(each.p99_ms / each.p50_ms);
  }
  return {{"connections_64", round_json(result_of(closed, "64"))},
          {"connections_1000", round_json(result_of(closed, "1000"))},
          {"rps_1000_to_64", median_ratio(closed[1].rounds, closed[0].rounds)},
          {"at_70_percent", round_json(result_of(open, "open"))},
          {"p99_to_p50", median(std::move(p99_to_p50))}};
}

/// Once what runs took when the models were loaded has been given back.
double resident_at_rest(ServerProcess& server) {
  const HttpUrl metrics{"127.0.0.1", server.port(), "/metrics"};
  while (http_get(metrics).body.find("\nonnxop_run_memory_bytes{state=\"kept\"} 0\n") ==
         std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return server.resident_mb();
}

/// How long `count` models take to be served, and what each of them holds.
Json measure_models(const std::filesystem::path& digits) {
  constexpr int kModels = 200;
  const TempDir dir;
  const SystemClock clock;
  const auto fill = [&](const std::string& store, int models) {
    Registry registry(std::filesystem::path(store), clock);
    for (int i = 0; i < models; ++i) {
      registry.models().publish({.name = i == 0 ? "mnist" : format("m{}", i),
                                 .model_file = digits,
                                 .source = "benchmark"});
    }
  };
  fill(dir / "one", 1);
  fill(dir / "many", kModels);
  ServerProcess one({"--store", dir / "one"});
  one.port();
  std::vector<double> starts;
  double resident = 0;
  for (int i = 0; i < 3; ++i) {
    ServerProcess many({"--store", dir / "many"});
    const std::uint16_t port = many.port();
    run_http_load({.target = png_target(port), .windows = {.requests = 1, .steady = 1, .most = 1}});
    starts.push_back(many.milliseconds_since_start());
    resident = i == 0 ? resident_at_rest(many) : resident;
  }
  const double each = (resident - resident_at_rest(one)) / (kModels - 1);
  return {{"models", kModels},
          {"startup_ms", median(starts)},
          {"rss_mb", resident},
          {"mb_each", each},
          {"file_mb", static_cast<double>(std::filesystem::file_size(digits)) / (1 << 20)}};
}

/// p99 of windows in which a new version is registered, beside that of windows without one.
Json measure_swaps(const std::filesystem::path& digits) {
  constexpr std::size_t kWindows = 16;
  const TempDir dir;
  const SystemClock clock;
  Registry registry(std::filesystem::path(dir / "store"), clock);
  registry.models().publish({.name = "mnist", .model_file = digits, .source = "benchmark"});
  ServerProcess server({"--store", dir / "store"});
  const HttpTarget target = png_target(server.port());
  const double highest = http_round(target, 64, 2).per_second;
  std::size_t boundary = 0;
  const LoadReport report = run_http_load(
      {.target = target,
       .connections = 128,
       .rate = 0.5 * highest,
       .windows = {.seconds = 1, .steady = kWindows, .most = kWindows, .tolerance = 1e-9},
       .at_boundary = [&] {
         if (boundary++ % 2 == 1) {
           registry.models().publish(
               {.name = "mnist", .model_file = digits, .source = "benchmark"});
         }
       }});
  std::vector<double> calm, swap;
  std::int64_t errors = 0;
  for (std::size_t i = 0; i < report.windows.size(); ++i) {
    (i % 2 == 1 ? swap : calm).push_back(report.windows[i].latency.p99_ms);
    errors += report.windows[i].errors;
  }
  return {{"swaps", swap.size()},
          {"errors", errors},
          {"p99_ms_before", median(calm)},
          {"p99_ms_during", median(swap)},
          {"ratio", median(swap) / median(calm)}};
}

}  // namespace

Json measure_scale(const std::filesystem::path& store, const std::filesystem::path& digits) {
  Json json = Json::object();
  json["idle"] = measure_idle(store);
  json["load"] = measure_load(store);
  json["many_models"] = measure_models(digits);
  json["swap"] = measure_swaps(digits);
  return {{"scale", json}};
}

}  // namespace onnxop::bench
