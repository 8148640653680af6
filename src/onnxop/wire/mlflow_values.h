#pragma once
// Values of protobuf's JSON out of a parsed document: 64-bit integers and floating-point numbers
// may be texts, NaN and infinities are. Throws Error{kInvalidArgument} that names `what`. Private
// to this room.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "onnxop/wire/json_reading.h"

namespace onnxop {

/// Of a request of MLflow's: nothing in it is deeper.
inline constexpr std::size_t kMlflowDepth = 32;

std::int64_t mlflow_integer(const JsonElement& value, std::string_view what);
double mlflow_number(const JsonElement& value, std::string_view what);

std::int64_t mlflow_integer(std::string_view text, std::string_view what);
double mlflow_number(std::string_view text, std::string_view what);

}  // namespace onnxop
