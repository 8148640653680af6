#pragma once
// Answers that a model computes, whatever is asked of it: runs a call, and makes the response of
// its result on the thread that ran it.

#include <exception>
#include <memory>

#include "onnxop/server/pending_answer.h"
#include "onnxop/serving/inference.h"

namespace onnxop {

class ModelAnswer : public PendingAnswer {
 public:
  explicit ModelAnswer(Scheduler& scheduler) : scheduler_(scheduler) {}

  void start(bool run_here, std::function<void()> on_ready) final;
  bool cancel() final;
  Response take() final;
  ModelLease model() const final { return call().model(); }
  const CallTimes& times() const final { return call().times; }

 protected:
  virtual InferenceCall& call() = 0;
  virtual const InferenceCall& call() const = 0;
  /// Of a call that succeeded, on the thread that ran it. May throw.
  virtual Response make_response() = 0;
  /// To be given to the call as its on_end.
  void ended() noexcept;

 private:
  void prepare() noexcept;

  Scheduler& scheduler_;
  std::function<void()> on_ready_;
  Response response_;
  std::exception_ptr failure_;
};

}  // namespace onnxop
