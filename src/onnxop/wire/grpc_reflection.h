#pragma once
// gRPC's server reflection: what a client without the .proto files asks of services and messages.
// Safe from any thread.

#include <string>
#include <string_view>

namespace onnxop {

/// The answer, with its prefix, to a ServerReflectionRequest of v1 or v1alpha: their bytes are the
/// same. Throws Error{kInvalidArgument} for bytes that are none.
std::string answer_reflection(std::string_view request);

}  // namespace onnxop
