#include "onnxop/serving/model_stats.h"

namespace onnxop {
namespace {

void count(ModelStats::Runs& runs, double seconds) {
  ++runs.count;
  runs.seconds += seconds;
}

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  return protocol == Protocol::kHttp ? "http" : "grpc";
}

void ModelStats::count_request(Protocol protocol, int status, double seconds) {
  total_seconds.add(seconds);
  const std::lock_guard lock(mutex_);
  ++counts_.requests[{protocol, status}];
}

void ModelStats::count_call(const CallTimes& times, bool failed) {
  const bool was_run = times.run_rows > 0;
  if (!was_run) {
    const std::lock_guard lock(mutex_);
    count(counts_.failure, 0);
    return;
  }
  const double waited = seconds_between(times.queued, times.taken);
  const double prepared = seconds_between(times.taken, times.run_begun);
  const double computed = seconds_between(times.run_begun, times.run_ended);
  const std::lock_guard lock(mutex_);
  if (failed) {
    count(counts_.failure, waited + prepared + computed);
    return;
  }
  queue_seconds.add(waited);
  preprocess_seconds.add(prepared);
  compute_seconds.add(computed);
  count(counts_.success, waited + prepared + computed);
  count(counts_.queue, waited);
  count(counts_.preprocess, prepared);
  count(counts_.compute, computed);
}

void ModelStats::count_run(const RunReport& report, WallTime now) {
  if (report.failed) {
    return;
  }
  batch_rows.add(static_cast<double>(report.rows));
  const std::lock_guard lock(mutex_);
  counts_.rows += static_cast<std::uint64_t>(report.rows);
  ++counts_.runs;
  counts_.last_run_ms = to_unix_ms(now);
  count(counts_.by_rows[report.rows], report.seconds);
}

ModelStats::Snapshot ModelStats::snapshot() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace onnxop
