#pragma once
// The parts of a spec that are written as `Name` or `{Name: {key: value}}`: layers and the
// optimizer.

#include <vector>

#include "onnxop/train/spec.h"
#include "onnxop/train/spec_node.h"

namespace onnxop {

/// Throws as load_spec does.
std::vector<LayerSpec> parse_layers(const SpecNode& list);
OptimizerSpec parse_optimizer(const SpecNode& node);

}  // namespace onnxop
