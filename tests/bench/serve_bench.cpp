#include "bench/bench.h"
#include "bench/bench_models.h"
#include "bench/load_round.h"
#include "bench/server_process.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"

namespace onnxop::bench {

Json measure_serving(const std::filesystem::path& store) {
  constexpr int kRounds = 5;
  constexpr int kStarts = 11;
  std::vector<double> starts;
  for (int i = 0; i < kStarts; ++i) {
    ServerProcess server({"--store", store});
    run_http_load(
        {.target = png_target(server.port()), .windows = {.requests = 1, .steady = 1, .most = 1}});
    starts.push_back(server.milliseconds_since_start());
  }
  ServerProcess server({"--store", store});
  const HttpTarget target = png_target(server.port());
  run_http_load({.target = target,
                 .connections = 8,
                 .windows = {.requests = 10'000, .steady = 1, .most = 1}});
  const double resident = server.resident_mb();
  std::vector<Contender> loads;
  for (const int connections : {1, 8, 64}) {
    loads.push_back({format("connections_{}", connections),
                     [&target, connections] { return http_round(target, connections, 1); }});
  }
  take_turns(loads, kRounds);
  Json serve = Json::object();
  for (const Contender& each : loads) {
    serve[each.name] = round_json(median_of(each.rounds));
  }
  return {{"serve", serve}, {"startup_ms", median(starts)}, {"rss_mb", resident}};
}

}  // namespace onnxop::bench
