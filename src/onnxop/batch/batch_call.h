#pragma once
// One caller's inference, from the queue to its answer. Whoever submits it owns it, and keeps it
// until it was told: succeed() or fail() is called exactly once, on an executor's thread, and then
// tell(), after which the scheduler does not touch the call. None of them may throw or block.

#include <cstdint>
#include <span>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/batch/batch_policy.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// Set by the scheduler before the answer.
struct CallTimes {
  SteadyTime queued;
  SteadyTime taken;      // from the queue; before inputs()
  SteadyTime run_begun;  // after inputs() of the whole batch
  SteadyTime run_ended;
  std::int64_t run_rows = 0;  // of the run that gave the answer; 0: none
};

class BatchCall {
 public:
  BatchCall() = default;
  virtual ~BatchCall() = default;
  BatchCall(const BatchCall&) = delete;
  BatchCall& operator=(const BatchCall&) = delete;

  /// What to run: called once, on the executor, so that decoding may be done here. May throw; only
  /// this call fails then. The tensors live as long as the call.
  virtual std::span<const NamedTensor> inputs() = 0;
  virtual void succeed(std::vector<NamedTensor> outputs) noexcept = 0;
  virtual void fail(const Error& error) noexcept = 0;
  /// The others of the same batch have their answers too: who waits for several of them wakes up
  /// once.
  virtual void tell() noexcept = 0;

  void fail_and_tell(const Error& error) noexcept {
    fail(error);
    tell();
  }

  /// Set before the call is submitted: see shape_key() and batch_rows().
  WaitingCall waiting;
  CallTimes times;

 private:
  friend class CallList;
  BatchCall* previous_ = nullptr;
  BatchCall* next_ = nullptr;
  bool listed_ = false;
};

/// Calls in order, linked through themselves: nothing is allocated, and any can be taken out.
class CallList {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  BatchCall* front() const { return first_; }
  static BatchCall* after(const BatchCall& call) { return call.next_; }
  static bool holds(const BatchCall& call) { return call.listed_; }

  void push_back(BatchCall& call) {
    call.previous_ = last_;
    call.next_ = nullptr;
    call.listed_ = true;
    (last_ == nullptr ? first_ : last_->next_) = &call;
    last_ = &call;
    ++size_;
  }

  void remove(BatchCall& call) {
    (call.previous_ == nullptr ? first_ : call.previous_->next_) = call.next_;
    (call.next_ == nullptr ? last_ : call.next_->previous_) = call.previous_;
    call.listed_ = false;
    --size_;
  }

 private:
  BatchCall* first_ = nullptr;
  BatchCall* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace onnxop
