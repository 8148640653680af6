#pragma once
// The open connections of one I/O thread; used on that thread only.

#include <cstdint>
#include <functional>
#include <unordered_set>

namespace onnxop {

class Connection;

struct ConnectionSet {
  std::unordered_set<Connection*> open;
  std::uint64_t last_timer = 0;  // numbers the timers of all connections
  /// Called when a connection is gone, on the I/O thread.
  std::function<void()> on_closed;
};

}  // namespace onnxop
