#pragma once
// Element types as the Open Inference Protocol v2 names them: "FP32", "INT64", "BYTES", "BF16"
// (Triton's).

#include <string_view>

#include "onnxop/tensor/dtype.h"

namespace onnxop {

/// "" for a type that the protocol does not have.
std::string_view oip_datatype(DType dtype);

/// kUndefined for a name that is none.
DType dtype_of_oip(std::string_view name);

/// All names, for messages: "BOOL, UINT8, …".
std::string_view oip_datatypes();

/// The name of an output's type. Throws Error{kUnsupported} where the protocol has none.
std::string_view sendable_datatype(std::string_view output, DType dtype);

}  // namespace onnxop
