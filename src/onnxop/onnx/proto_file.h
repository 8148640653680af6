#pragma once
// Reads a model file into its protobuf message. Private to this room.

#include <filesystem>
#include <memory>
#include <string>

#include "onnxop/onnx/proto_types.h"

namespace onnxop {

/// The message of a file that has what every ONNX model has: ir_version, opset_import and a graph.
/// External data is not read. Throws Error{kNotFound}; {kInvalidArgument} for a folder, an empty
/// file, or one that is truncated, damaged or no ONNX model, with the byte position; {kTooLarge}
/// over protobuf's 2 GiB; {kIo}.
std::unique_ptr<onnx::ModelProto> read_model_proto(const std::filesystem::path& path);

/// "ai.onnx" for the default domain, which files write as "" too.
std::string domain_name(const std::string& domain);

}  // namespace onnxop
