#pragma once
// HTTP statuses: their names, and the one place where an Error becomes one.

#include <string_view>

#include "onnxop/base/error.h"

namespace onnxop {

int http_status(ErrorCode code);

/// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace onnxop
