#pragma once
// What a Server was told, made sure of.

#include "onnxop/server/server_options.h"

namespace onnxop {

/// With the defaults in place of zeros. Throws Error{kInvalidArgument} for values that make no
/// sense.
ServerOptions checked_options(ServerOptions options);

}  // namespace onnxop
