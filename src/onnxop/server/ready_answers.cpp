#include "onnxop/server/ready_answers.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace onnxop {

void ReadyAnswers::add(AnswerWaiter& waiter, const IoExecutor& executor) {
  AnswerWaiter* before = latest_.load(std::memory_order_relaxed);
  do {
    waiter.next_ = before;
  } while (!latest_.compare_exchange_weak(before, &waiter, std::memory_order_release,
                                          std::memory_order_relaxed));
  // From here on the waiter may be gone at any moment.
  if (before == nullptr) {
    boost::asio::post(executor, [this] { tell_all(); });
  }
}

/// In the order in which they became ready.
void ReadyAnswers::tell_all() {
  AnswerWaiter* newest = latest_.exchange(nullptr, std::memory_order_acquire);
  AnswerWaiter* oldest = nullptr;
  while (newest != nullptr) {
    AnswerWaiter* const before = std::exchange(newest->next_, oldest);
    oldest = std::exchange(newest, before);
  }
  while (oldest != nullptr) {
    AnswerWaiter* const after = oldest->next_;
    oldest->on_ready();
    oldest = after;
  }
}

}  // namespace onnxop
