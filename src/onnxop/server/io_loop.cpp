#include "onnxop/server/io_loop.h"

#include <sched.h>

namespace onnxop {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// True: something came within the time, and was handled.
bool look(boost::asio::io_context& context, SteadyClock::time_point until) {
  while (SteadyClock::now() < until) {
    if (context.poll() > 0) {
      return true;
    }
    ::sched_yield();
  }
  return false;
}

}  // namespace

void run_io_loop(boost::asio::io_context& context, const IoActivity& activity,
                 std::chrono::microseconds most) {
  if (most.count() == 0) {
    context.run();
    return;
  }
  SpinPolicy policy(most);
  while (!context.stopped()) {
    if (context.poll() > 0) {
      continue;
    }
    const bool idle = activity.in_flight == 0;
    const auto begun = SteadyClock::now();
    const auto window = policy.window();
    if (!idle || window.count() == 0 || !look(context, begun + window)) {
      context.run_one();
    }
    if (idle && activity.last_request > begun) {
      policy.waited(activity.last_request - begun);
    }
  }
}

}  // namespace onnxop
