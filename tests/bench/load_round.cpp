#include "bench/load_round.h"

#include <algorithm>

#include "bench/bench.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/load/call_load.h"

namespace onnxop::bench {
namespace {

Round round_of(const LoadReport& report, const std::string& what) {
  if (report.figures.errors > 0) {
    fail(ErrorCode::kInternal, "{}: {} requests failed and {} were answered", what,
         report.figures.errors, report.figures.answered);
  }
  return {report.figures.per_second, report.figures.latency.p50_ms, report.figures.latency.p99_ms};
}

WindowRule one_window(double seconds) {
  return {.seconds = seconds, .steady = 1, .most = 1};
}

}  // namespace

Round http_round(const HttpTarget& target, int connections, double seconds, double rate) {
  return round_of(run_http_load({.target = target,
                                 .connections = connections,
                                 .rate = rate,
                                 .windows = one_window(seconds)}),
                  target.path);
}

Round polled_round(const HttpTarget& target, double seconds) {
  return round_of(run_http_load({.target = target, .polls = true, .windows = one_window(seconds)}),
                  target.path);
}

Round call_round(const std::function<void()>& call, int threads, double seconds) {
  return round_of(run_call_load(call, threads, one_window(seconds)), "a call");
}

Round median_of(const std::vector<Round>& rounds) {
  const auto middle = [&](double Round::*figure) {
    std::vector<double> values;
    for (const Round& each : rounds) {
      values.push_back(each.*figure);
    }
    return median(std::move(values));
  };
  return {middle(&Round::per_second), middle(&Round::p50_ms), middle(&Round::p99_ms)};
}

void take_turns(std::vector<Contender>& contenders, int rounds) {
  for (int round = -1; round < rounds; ++round) {
    for (Contender& each : contenders) {
      const Round taken = each.run();
      if (round >= 0) {
        each.rounds.push_back(taken);
      }
    }
  }
}

Round result_of(const std::vector<Contender>& contenders, const std::string& name) {
  const auto at = std::find_if(contenders.begin(), contenders.end(),
                               [&](const Contender& each) { return each.name == name; });
  if (at == contenders.end()) {
    fail(ErrorCode::kNotFound, "nothing called '{}' was measured", name);
  }
  return median_of(at->rounds);
}

Json round_json(const Round& round) {
  return {{"rps", round.per_second}, {"p50_ms", round.p50_ms}, {"p99_ms", round.p99_ms}};
}

}  // namespace onnxop::bench
