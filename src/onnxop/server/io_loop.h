#pragma once
// How an I/O thread waits. A thread that sleeps has to be woken up, which takes tens of
// microseconds where the processor went idle, and finds its caches cold: where the next request has
// come soon lately, the thread looks for it a little while before it sleeps.

#include <chrono>

#include <boost/asio/io_context.hpp>

#include "onnxop/server/io_activity.h"

namespace onnxop {

/// How long to look before sleeping: all of `most` after a wait that was shorter than that, nothing
/// after one that was longer. So who asks again at once finds the thread awake, and rare requests
/// cost no more than the one look after two that came close together.
class SpinPolicy {
 public:
  explicit SpinPolicy(std::chrono::microseconds most) : most_(most) {}

  std::chrono::microseconds window() const { return window_; }
  /// Something came after so long, whether the thread was looking or asleep.
  void waited(std::chrono::steady_clock::duration time) {
    window_ = time < most_ ? most_ : std::chrono::microseconds(0);
  }

 private:
  std::chrono::microseconds most_;
  std::chrono::microseconds window_{0};
};

/// Runs the context's handlers on this thread until it is stopped. While executors are at requests
/// of its connections, who need the processor, it does not look. `most` 0: never.
void run_io_loop(boost::asio::io_context& context, const IoActivity& activity,
                 std::chrono::microseconds most);

}  // namespace onnxop
