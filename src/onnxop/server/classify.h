#pragma once
// The way of an image: decode, preprocess, score, answer. Blocks; for an executor.

#include <cstddef>
#include <cstdint>
#include <span>

#include "onnxop/server/http_message.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

/// Throws Error{kInvalidArgument} for an empty body and for bytes that are no whole image,
/// {kTooLarge} for an image with more than `max_pixels`, {kUnsupported} for one that is not
/// decoded; {kInternal} for all that the client cannot help. `model` has a contract.
Response classify(std::span<const std::byte> body, const ModelLease& model,
                  std::int64_t max_pixels);

}  // namespace onnxop
