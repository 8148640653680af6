#pragma once
// The open connections of one I/O thread; used on that thread only, but for what it is told.

#include <functional>
#include <unordered_set>

#include "onnxop/server/exchange.h"
#include "onnxop/server/io_activity.h"
#include "onnxop/server/ready_answers.h"

namespace onnxop {

class Connection;

struct ConnectionSet : IoActivity {
  std::unordered_set<Connection*> open;
  ExchangePool exchanges;
  ReadyAnswers ready;
  /// Called when a connection is gone, on the I/O thread.
  std::function<void()> on_closed;
};

}  // namespace onnxop
