#pragma once
// The Open Inference Protocol's gRPC messages to values and back. Safe from any thread.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "onnxop/wire/infer.h"
#include "onnxop/wire/oip_metadata.h"
#include "onnxop/wire/oip_request.h"

namespace inference {
class ModelConfig;
class ModelInferRequest;
class ModelInferResponse;
class ModelMetadataResponse;
class ModelStatistics;
}  // namespace inference

namespace onnxop {

/// Where a message's raw contents lie.
using RawContents = std::vector<std::span<std::byte>>;

/// Parses the bytes of a message, of which raw contents stay where they are: `message` gets all
/// else. Throws Error{kInvalidArgument} for bytes that are none, {kTooLarge} for more tensors than
/// the limits allow, before there is memory for them.
RawContents parse_infer_request(std::span<std::byte> bytes, const InferLimits& limits,
                                inference::ModelInferRequest& message);

/// Tensors look into the raw contents where those are aligned, so they must outlive them. Throws
/// Error{kInvalidArgument} that says where and what was expected; {kTooLarge} over a limit.
InferRequest read_infer_request(const inference::ModelInferRequest& message, const RawContents& raw,
                                const InferLimits& limits);

/// `answer` has the chosen outputs (choose_outputs); all become raw contents.
void write_infer_response(const InferAnswer& answer, inference::ModelInferResponse& message);

void write_metadata(const OipModel& model, inference::ModelMetadataResponse& message);
void write_config(const OipModel& model, const OipConfig& config, inference::ModelConfig& message);
void write_statistics(const OipStatistics& statistics, inference::ModelStatistics& message);

}  // namespace onnxop
