#pragma once
// What is wrong with one TensorProto: its type, its size, where its data lies. Private to this
// room.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "onnxop/onnx/proto_types.h"

namespace onnxop {

/// Product of the dimensions; none where one is negative or the product is over 2^60.
std::optional<std::int64_t> tensor_elements(const onnx::TensorProto& tensor);

/// True for an element type that this file knows the size of (all up to ONNX 1.20).
bool is_known_element_type(std::int32_t data_type);

/// The first thing wrong with the tensor itself: unknown type, bad dimensions, data that do not
/// have the size that type and dimensions need, external data that are not a sound part of a file
/// inside `folder`; none where all is well.
std::optional<std::string> tensor_problem(const onnx::TensorProto& tensor,
                                          const std::filesystem::path& folder);

/// More elements than a value may have, declared or inferred: its known dimensions, multiplied, are
/// over 2^31; none where all is well. A model of a few bytes can ask for any amount of memory.
std::optional<std::string> value_problem(const onnx::ValueInfoProto& value);

/// The file that an external tensor names, relative to the model's folder; none where the data are
/// in the model.
std::optional<std::string> external_location(const onnx::TensorProto& tensor);

}  // namespace onnxop
