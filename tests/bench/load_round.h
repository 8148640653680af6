#pragma once
// Short rounds of load. What is compared takes its rounds in turn, and the medians are compared.

#include <functional>
#include <string>
#include <vector>

#include "onnxop/base/json.h"
#include "onnxop/load/http_load.h"

namespace onnxop::bench {

struct Round {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// A closed loop of so many connections, or with `rate` an open one. Throws Error{kInternal} when a
/// request failed.
Round http_round(const HttpTarget& target, int connections, double seconds, double rate = 0);

/// A closed loop of one connection, whose thread never sleeps: its own waking up is in no latency.
Round polled_round(const HttpTarget& target, double seconds);

/// Calls from `threads` threads at once.
Round call_round(const std::function<void()>& call, int threads, double seconds);

/// Each of them by itself.
Round median_of(const std::vector<Round>& rounds);

/// Something that is measured in turn with others.
struct Contender {
  std::string name;
  std::function<Round()> run;
  std::vector<Round> rounds = {};
};

/// One round each that does not count, then `rounds` times each in turn.
void take_turns(std::vector<Contender>& contenders, int rounds);

/// The median of the contender of that name. Throws Error{kNotFound}.
Round result_of(const std::vector<Contender>& contenders, const std::string& name);

Json round_json(const Round& round);

}  // namespace onnxop::bench
