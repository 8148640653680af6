#pragma once
// An answer that a model computes: made from a request, started once, told when it is ready.

#include <functional>

#include "onnxop/batch/batch_call.h"
#include "onnxop/server/compression.h"

namespace onnxop {

class PendingAnswer {
 public:
  PendingAnswer() = default;
  virtual ~PendingAnswer() = default;
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;

  /// Before start(): how the answer's body may be encoded.
  Encoding encoding = Encoding::kIdentity;

  /// `on_ready` is called once from any thread, unless start() throws, or cancel() returns true. It
  /// may be called before this returns. `run_here`: the calling thread may run the model itself.
  virtual void start(bool run_here, std::function<void()> on_ready) = 0;

  /// After start(). True: it was still waiting for an executor, and on_ready will not be called.
  virtual bool cancel() = 0;

  /// When it is ready. May throw, as a route's handler may.
  virtual Response take() = 0;

  /// For the log and statistics, of a failed answer too.
  virtual ModelLease model() const = 0;
  virtual const CallTimes& times() const = 0;
};

}  // namespace onnxop
