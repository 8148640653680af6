#pragma once
// A store that may be away for a while: what failed is done again. One thread at a time.

#include <chrono>
#include <thread>

#include "onnxop/base/error.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

class RetriedStore {
 public:
  /// `tries`: after the first one that failed; `registry` lives longer.
  RetriedStore(Registry& registry, int tries, std::chrono::milliseconds pause)
      : registry_(registry), tries_(tries), pause_(pause) {}

  /// action(Registry&), which may be done twice. Throws what it threw last; at once what does not
  /// pass by waiting.
  template <typename Action>
  auto with(const Action& action) {
    for (int tries_left = tries_;; --tries_left) {
      try {
        return action(registry_);
      } catch (const Error& error) {
        if (!may_pass(error) || tries_left <= 0) {
          throw;
        }
        std::this_thread::sleep_for(pause_);
      }
    }
  }

 private:
  static bool may_pass(const Error& error) {
    return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kIo ||
           error.code() == ErrorCode::kResourceExhausted;
  }

  Registry& registry_;
  int tries_;
  std::chrono::milliseconds pause_;
};

}  // namespace onnxop
