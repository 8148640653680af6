#pragma once
// How an I/O thread waits. A thread that sleeps has to be woken up, which takes tens of
// microseconds where the processor went idle, and finds its caches cold: where the next request has
// come soon lately, the thread looks for it a little while before it sleeps.

#include <algorithm>
#include <chrono>

#include <boost/asio/io_context.hpp>

#include "onnxop/server/io_activity.h"

namespace onnxop {

/// How long to look before sleeping: all of `most` after a wait that was shorter than that, nothing
/// after two in a row that were longer. So who asks again at once finds the thread awake, also
/// where he was late once and it had to be woken up, which makes the next wait longer too; and rare
/// requests cost no more than the two looks after two that came close together.
class SpinPolicy {
 public:
  explicit SpinPolicy(std::chrono::microseconds most) : most_(most) {}

  std::chrono::microseconds window() const {
    return long_waits_ < kForgiven ? most_ : std::chrono::microseconds(0);
  }
  /// Something came after so long, whether the thread was looking or asleep.
  void waited(std::chrono::steady_clock::duration time) {
    long_waits_ = time < most_ ? 0 : std::min(long_waits_ + 1, kForgiven);
  }

 private:
  static constexpr int kForgiven = 2;

  std::chrono::microseconds most_;
  int long_waits_ = kForgiven;  // in a row
};

/// Runs the context's handlers on this thread until it is stopped. While executors are at requests
/// of its connections, who need the processor, it does not look. `most` 0: never.
void run_io_loop(boost::asio::io_context& context, const IoActivity& activity,
                 std::chrono::microseconds most);

}  // namespace onnxop
