#pragma once
// The way of tensors: an Open Inference Protocol request to the model and back.

#include <memory>

#include "onnxop/server/pending_answer.h"
#include "onnxop/serving/traffic_ticket.h"
#include "onnxop/wire/infer.h"

namespace onnxop {

/// `request`'s tensors may look into memory that outlives the answer. Throws as TensorCall's
/// constructor does.
std::unique_ptr<PendingAnswer> infer_tensors(InferRequest request, AssignedModel assigned,
                                             Scheduler& scheduler);

/// When a request that came now must have been begun; never without a timeout.
SteadyTime deadline_of(const InferRequest& request);

}  // namespace onnxop
