#pragma once
// Calls a function from several threads as a closed loop, measured as a load on a server is.

#include <functional>

#include "onnxop/load/measure.h"

namespace onnxop {

/// `call` is called from `threads` threads at once, and stands for one request that was answered.
/// What it throws ends the load and is thrown again here. Throws Error{kInvalidArgument} for less
/// than one thread.
LoadReport run_call_load(const std::function<void()>& call, int threads, const WindowRule& windows);

}  // namespace onnxop
