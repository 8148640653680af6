#pragma once
// The one exception type of the program. Thrown by every room; caught in two places only: the CLI
// (exit code) and the server (HTTP status). The message says what was got, what was expected, and
// where.

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "onnxop/base/format.h"

namespace onnxop {

enum class ErrorCode {
  kInvalidArgument,     // the caller's input is wrong: a spec, an image, a request
  kNotFound,            // a file, model, run, route that is not there
  kAlreadyExists,       // what should be made is there already
  kTooLarge,            // over a limit on bytes, pixels, elements
  kUnsupported,         // understood, but not something this program or processor does
  kFailedPrecondition,  // right in itself, not possible in the present state
  kUnavailable,         // gone for a time: being loaded, shutting down
  kResourceExhausted,   // too much at once: a full queue, a rate limit; later it may work
  kDeadlineExceeded,    // the time that the caller gave has passed
  kUnauthenticated,     // no valid credentials
  kPermissionDenied,    // valid credentials that do not allow this
  kDataLoss,            // stored data that is truncated, corrupt or does not match its hash
  kIo,                  // the operating system refused to read or write
  kInternal,            // a bug here, or in a library
};

/// The code's name in lower snake case: "invalid_argument".
std::string_view error_code_name(ErrorCode code);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// Throws Error{code, formatted message}.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, FormatString<Args...> format_text, Args&&... args) {
  throw Error(code, format(format_text, std::forward<Args>(args)...));
}

}  // namespace onnxop
