#pragma once
// Answers that executors have ready for one I/O thread. Those of a batch become ready within
// microseconds: the thread is woken up for the first, and takes the others along. A post for each
// would have it and the executor wait for each other's lock at every one.

#include <atomic>

#include "onnxop/server/asio_types.h"

namespace onnxop {

/// Who waits for an answer. Not to be destroyed between add() and on_ready(), unless the thread's
/// context does not run any more.
class AnswerWaiter {
 public:
  virtual ~AnswerWaiter() = default;
  /// On the I/O thread.
  virtual void on_ready() = 0;

 private:
  friend class ReadyAnswers;
  AnswerWaiter* next_ = nullptr;
};

class ReadyAnswers {
 public:
  /// From any thread; at most once until the waiter was told. `executor` is the I/O thread's.
  void add(AnswerWaiter& waiter, const IoExecutor& executor);

 private:
  void tell_all();

  std::atomic<AnswerWaiter*> latest_{nullptr};
};

}  // namespace onnxop
