#pragma once
// Reshape, the operator that most often mixes rows or writes their number out. Private to this
// room.

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {

/// The batch stays a dimension where the sizes before it multiply to the same as before. Sets
/// node.new_shape where the target has the fixed batch's number in its place.
RuleResult reshape_rule(const RuleNode& node);

}  // namespace onnxop
