#pragma once
// The error that an action ends with; a test fails where it ends without one.

#include <functional>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {

inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::kInternal, ""};
}

inline ErrorCode code_of(const std::function<void()>& action) {
  return error_of(action).code();
}

}  // namespace onnxop
