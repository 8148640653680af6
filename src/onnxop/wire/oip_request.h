#pragma once
// The Open Inference Protocol's inference request over REST: JSON, or JSON followed by raw tensors
// (Triton's binary tensor data extension). Safe from any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "onnxop/wire/infer.h"

namespace onnxop {

struct InferLimits {
  std::size_t max_json_depth = 32;                    // arrays and objects within each other
  std::size_t max_tensors = 64;                       // inputs, and outputs
  std::int64_t max_elements = std::int64_t{1} << 28;  // of all inputs together
};

/// `header_length`: of the JSON, whose raw tensors follow; none: all of the body is JSON. Tensors
/// look into the body where it is aligned for them. Members and parameters that are not known, or
/// null, count as not there; the data may be nested otherwise than the shape says, if it has as
/// many elements. Throws Error{kInvalidArgument} that says where and what was expected; {kTooLarge}
/// for too many tensors or elements; {kUnsupported} for tensors in shared memory.
InferRequest parse_infer_request(std::span<std::byte> body,
                                 std::optional<std::uint64_t> header_length,
                                 const InferLimits& limits);

/// A raw request: the body is the only input's bytes, and the answer raw too. Throws
/// Error{kInvalidArgument} for a model that has more than one input, or one with more than one free
/// dimension beside the batch of 1, or for a size that does not fit; {kUnsupported} where the input
/// has a type that the protocol does not know.
InferRequest parse_raw_request(std::span<std::byte> body, std::span<const TensorInfo> inputs);

/// The field Inference-Header-Content-Length: a number of at most `body_size`. Throws
/// Error{kInvalidArgument}.
std::uint64_t parse_header_length(std::string_view text, std::size_t body_size);

}  // namespace onnxop
