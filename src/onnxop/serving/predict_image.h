#pragma once
// One image through one model: preprocessed as its contract says, scored, read. What `score` and
// the server share.

#include "onnxop/image/image.h"
#include "onnxop/serving/prediction.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

/// `model` has a contract. Throws Error{kInternal} naming the model for whatever goes wrong, as the
/// image is good; {kUnavailable} is passed on. Safe from any thread.
Prediction predict_image(const ServedModel& model, Image image);

}  // namespace onnxop
