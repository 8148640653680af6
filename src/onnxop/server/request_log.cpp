#include "onnxop/server/request_log.h"

#include <vector>

#include "onnxop/base/log.h"

namespace onnxop {
namespace {

double ms_between(SteadyTime from, SteadyTime to) {
  return 1e3 * seconds_between(from, to);
}

/// What both lines say.
void add_request(const RequestRecord& record, std::vector<LogField>& fields) {
  constexpr std::size_t kLongestPath = 256;
  fields.push_back({"protocol", record.protocol});
  fields.push_back({"method", record.method});
  if (!record.path.empty()) {
    fields.push_back({"path", record.path.substr(0, kLongestPath)});
  }
  fields.push_back({record.protocol == "grpc" ? "code" : "status", record.status});
  if (record.bytes >= 0) {
    fields.push_back({"bytes", record.bytes});
  }
  if (!record.client.empty()) {
    fields.push_back({"client", record.client});
  }
}

void add_model_and_trace(const RequestRecord& record, std::vector<LogField>& fields) {
  if (record.model != nullptr) {
    fields.push_back({"model", std::string_view(record.model->name)});
    fields.push_back({"version", record.model->version});
  }
  if (record.trace != nullptr) {
    fields.push_back({"trace_id", record.trace->trace()});
    fields.push_back({"parent_id", record.trace->parent()});
    fields.push_back({"span_id", record.trace->span()});
  }
}

}  // namespace

TimeSplit split_time(const RequestRecord& record) {
  TimeSplit split{.total = ms_between(record.begun, record.answered),
                  .read = ms_between(record.begun, record.read)};
  if (record.times && record.times->queued != SteadyTime{}) {
    const CallTimes& times = *record.times;
    const bool was_run = times.run_rows > 0;
    split.decode = ms_between(record.read, times.queued);
    split.queue = ms_between(times.queued, was_run ? times.taken : record.answered);
    if (was_run) {
      split.decode += ms_between(times.taken, times.run_begun);
      split.compute = ms_between(times.run_begun, times.run_ended);
    }
  }
  split.write = split.total - split.read - split.decode - split.queue - split.compute;
  return split;
}

void log_request(const RequestLogOptions& options, const RequestRecord& record) {
  const double total = ms_between(record.begun, record.answered);
  const bool slow = options.slow_ms > 0 && total > options.slow_ms;
  if (!options.access && !slow) {
    return;
  }
  thread_local std::vector<LogField> fields;  // keeps its memory
  if (options.access) {
    fields.clear();
    add_request(record, fields);
    fields.push_back({"milliseconds", total});
    add_model_and_trace(record, fields);
    log_fields(LogLevel::kInfo, "request", fields);
  }
  if (slow) {
    const TimeSplit split = split_time(record);
    fields.clear();
    add_request(record, fields);
    fields.insert(fields.end(), {{"milliseconds", split.total},
                                 {"read_ms", split.read},
                                 {"decode_ms", split.decode},
                                 {"queue_ms", split.queue},
                                 {"compute_ms", split.compute},
                                 {"write_ms", split.write}});
    add_model_and_trace(record, fields);
    log_fields(LogLevel::kWarning, "slow request", fields);
  }
}

}  // namespace onnxop
