#pragma once
// A model measured on a data set, as `onnxop eval` does it.

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "onnxop/serving/served_model.h"
#include "onnxop/train/evaluate.h"

namespace onnxop {

/// `dataset` as open_dataset() takes it; folder images are brought to the contract's size and
/// colour, and folders' names are matched with the contract's labels. Throws
/// Error{kInvalidArgument} for a model without an image contract or whose classes are not the
/// data's.
/// `observe`, where given, gets the model's probabilities of `samples` samples, one row each, in
/// the data set's order.
Evaluation evaluate_model(
    const ServedModel& model, std::string_view dataset,
    const std::function<void(std::span<const float> rows, std::int64_t samples)>& observe = {});

}  // namespace onnxop
