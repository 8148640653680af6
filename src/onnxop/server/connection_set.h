#pragma once
// The open connections of one I/O thread; used on that thread only, but for what it is told.

#include <chrono>
#include <functional>
#include <unordered_set>

#include "onnxop/server/exchange.h"
#include "onnxop/server/ready_answers.h"

namespace onnxop {

class Connection;

struct ConnectionSet {
  std::unordered_set<Connection*> open;
  ExchangePool exchanges;
  ReadyAnswers ready;
  std::chrono::steady_clock::time_point last_request;  // when its first byte was seen
  int in_flight = 0;  // requests that ask a model and are not answered yet
  /// Called when a connection is gone, on the I/O thread.
  std::function<void()> on_closed;
};

}  // namespace onnxop
