#pragma once
// What the log says of requests: one line for each, and one more for those that took long, with
// where their time went. Safe from any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "onnxop/batch/batch_call.h"
#include "onnxop/server/trace.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

struct RequestLogOptions {
  bool access = true;       // one line a request, at level info
  double slow_ms = 1000.0;  // requests that took longer get one at level warning; 0: none do
};

/// A request that was answered. The texts are looked at only while it is logged.
struct RequestRecord {
  std::string_view protocol = {};      // "http", "grpc"
  std::string_view method = {};        // "POST", "ModelInfer"
  std::string_view path = {};          // HTTP's; cut off in the log where it is long
  std::int64_t status = 0;             // HTTP's; gRPC's code
  std::int64_t bytes = -1;             // of the answer's body; negative: not known
  const ServedModel* model = nullptr;  // that answered; null: none
  std::string_view client = {};        // of an access token; "": unknown
  const TraceContext* trace = nullptr;
  SteadyTime begun = {};                // its first byte came
  SteadyTime read = {};                 // all of it was there
  std::optional<CallTimes> times = {};  // of the model's call
  SteadyTime answered = {};             // the last byte was handed to the system
};

/// Where the time of a request went, in milliseconds; together they are all of it.
struct TimeSplit {
  double total = 0;
  double read = 0;     // until all of it was there
  double decode = 0;   // parsing, decoding of images, preprocessing
  double queue = 0;    // waiting for an executor
  double compute = 0;  // the engine
  double write = 0;    // making the answer, and handing it to the system
};

/// Of a call that was queued and never run, all the rest is waiting; without a call it is writing.
TimeSplit split_time(const RequestRecord& record);

void log_request(const RequestLogOptions& options, const RequestRecord& record);

}  // namespace onnxop
