#include "onnxop/server/model_answer.h"

#include <utility>

namespace onnxop {

void ModelAnswer::start(bool run_here, std::function<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  call().set_on_answer([this] { prepare(); });
  if (run_here) {
    submit_or_run(scheduler_, call());
  } else {
    submit(scheduler_, call());
  }
}

bool ModelAnswer::cancel() {
  return scheduler_.cancel(call().model()->queue, call());
}

Response ModelAnswer::take() {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  return std::move(response_);
}

void ModelAnswer::prepare() noexcept {
  try {
    if (call().error()) {
      throw Error(*call().error());
    }
    response_ = make_response();
    encode_body(response_, encoding);
    response_.model = call().model();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

/// Whoever is told may destroy this object at once.
void ModelAnswer::ended() noexcept {
  const auto ready = std::move(on_ready_);
  ready();
}

}  // namespace onnxop
