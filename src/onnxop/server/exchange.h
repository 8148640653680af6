#pragma once
// A request and its answer, with all the memory that they take: a connection has one only while it
// is busy, so that an idle one holds next to nothing, and a busy one's memory is warm.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/beast/core/flat_buffer.hpp>

#include "onnxop/server/http_message.h"
#include "onnxop/server/pending_answer.h"
#include "onnxop/server/request_parser.h"
#include "onnxop/server/route_table.h"
#include "onnxop/server/trace.h"

namespace onnxop {

struct Exchange {
  explicit Exchange(const HttpLimits& limits) : parser(limits, request) {}

  /// For the next request; what has come of it already stays in `input`.
  void reset();

  /// What it holds besides itself, roughly.
  std::size_t held_bytes() const;

  boost::beast::flat_buffer input;  // what has come and is not parsed yet
  Request request;
  RequestParser parser;
  std::optional<HttpProblem> problem;  // the request was not understood, or did not come in time
  RouteTable::Match match;
  std::unique_ptr<PendingAnswer> pending;
  Response response;
  std::string head;                   // of the response
  std::optional<TraceContext> trace;  // the client's
  std::optional<CallTimes> times;     // of the model's call
  SteadyTime started;                 // when its first byte came
  SteadyTime read;                    // when all of it was there
};

/// The exchanges of one I/O thread that nobody uses, to be used again. On that thread only.
class ExchangePool {
 public:
  std::unique_ptr<Exchange> take(const HttpLimits& limits);
  /// As reset() left it, nothing in its input. Kept, unless those that are kept hold enough memory.
  void give_back(std::unique_ptr<Exchange> exchange);

 private:
  std::vector<std::unique_ptr<Exchange>> spare_;
  std::size_t held_bytes_ = 0;
};

}  // namespace onnxop
