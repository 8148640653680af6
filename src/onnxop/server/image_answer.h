#pragma once
// The way of an image: decode, preprocess, score, answer.

#include <memory>
#include <span>
#include <vector>

#include "onnxop/server/pending_answer.h"
#include "onnxop/serving/traffic_ticket.h"

namespace onnxop {

/// What the assigned model says of the images, each the bytes of one; they outlive the answer.
/// `as_list`:
/// {"predictions": [one object an image]} in place of the one image's object. Throws as ImageCall's
/// constructor does.
std::unique_ptr<PendingAnswer> classify_images(std::vector<std::span<const std::byte>> images,
                                               bool as_list, AssignedModel assigned,
                                               std::int64_t max_pixels, Scheduler& scheduler);

}  // namespace onnxop
