#pragma once
// Floating-point operations of one sample. Private to this room.

#include <optional>

#include "onnxop/onnx/proto_types.h"

namespace onnxop {

/// The multiply-adds, times two, of Conv, ConvTranspose, Gemm, MatMul and their quantized and fused
/// kin in all graphs (a subgraph counts once), for a batch of one; a fixed batch is divided out.
/// Biases and all else are left out. None where a shape that it takes is not known. Infers shapes
/// again, and changes the model's batch dimension: only for a model without structural problems
/// that is not needed afterwards.
std::optional<double> flops_per_sample(onnx::ModelProto& model);

}  // namespace onnxop
