#include "onnxop/nn/input_nodes.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/nn/node_error.h"

namespace onnxop {

InputNodes::InputNodes(const Graph& graph) : graph_(graph) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1) {
    fail(ErrorCode::kUnsupported,
         "graph '{}' has {} inputs and {} outputs, a network to train has one of each", graph.name,
         graph.inputs.size(), graph.outputs.size());
  }
  const GraphValue& input = graph.inputs.front();
  Shape shape;
  for (const auto& dim : input.shape) {
    shape.push_back(dim.size);
  }
  const bool sized = std::all_of(shape.begin() + (shape.empty() ? 0 : 1), shape.end(),
                                 [](auto size) { return size > 0; });
  if (input.dtype != DType::kFloat32 || !sized || (shape.size() != 2 && shape.size() != 4)) {
    fail(ErrorCode::kUnsupported,
         "graph '{}': its input '{}' is {} {}, expected float32 [N, features] or four dimensions",
         graph.name, input.name, dtype_name(input.dtype), shape_text(shape));
  }
  image_ = shape.size() == 4;
  shape_.assign(shape.begin() + 1, shape.end());
  const auto last = static_cast<std::size_t>(shape_.back());
  last_scale_.assign(last, 1.0F);
  last_offset_.assign(last, 0.0F);
}

bool InputNodes::take(const GraphNode& node) {
  if (node.op_type == "Transpose" && image_ && !transposed_) {
    if (node.attribute("perm", std::vector<std::int64_t>{}) !=
        std::vector<std::int64_t>{0, 3, 1, 2}) {
      refuse(node, "perm is not [0, 3, 1, 2], the change from channels-last to channels-first");
    }
    transposed_ = true;
    return true;
  }
  const bool multiplies = node.op_type == "Mul" || node.op_type == "Div";
  if (!multiplies && node.op_type != "Add" && node.op_type != "Sub") {
    return false;
  }
  const GraphInitializer& constant = float_initializer(graph_, node, 1);
  const auto values = constant.tensor.values<float>();
  const Shape& shape = constant.tensor.shape();
  const bool by_channel = !shape.empty() && values.size() == last_scale_.size() &&
                          shape.back() == static_cast<std::int64_t>(last_scale_.size());
  if (transposed_ || (values.size() != 1 && !by_channel)) {
    refuse(node, format("'{}' has shape {}, expected one number or one a channel, before the "
                        "change of layout",
                        constant.name, shape_text(shape)));
  }
  for (std::size_t i = 0; i < last_scale_.size(); ++i) {
    const float value = values[values.size() == 1 ? 0 : i];
    if (multiplies) {
      const float factor = node.op_type == "Mul" ? value : 1 / value;
      last_scale_[i] *= factor;
      last_offset_[i] *= factor;
    } else {
      last_offset_[i] += node.op_type == "Add" ? value : -value;
    }
  }
  return true;
}

InputStage InputNodes::stage(std::int64_t piece, Precision precision) const {
  InputStage input;
  const bool bfloat16 = precision == Precision::kBfloat16;
  if (!image_) {
    input.layout = plain_vector(piece, shape_[0], bfloat16);
    input.scale = last_scale_;
    input.offset = last_offset_;
    return input;
  }
  input.channels_last = transposed_;
  input.layout = transposed_ ? plain_image(piece, shape_[2], shape_[0], shape_[1], bfloat16)
                             : plain_image(piece, shape_[0], shape_[1], shape_[2], bfloat16);
  const bool uniform = std::all_of(last_scale_.begin(), last_scale_.end(),
                                   [&](float s) { return s == last_scale_[0]; }) &&
                       std::all_of(last_offset_.begin(), last_offset_.end(),
                                   [&](float o) { return o == last_offset_[0]; });
  if (!transposed_ && !uniform) {
    fail(ErrorCode::kUnsupported,
         "graph '{}': scaling by column of a channels-first input is not covered", graph_.name);
  }
  const auto channels = static_cast<std::size_t>(input.layout.channels);
  input.scale = transposed_ ? last_scale_ : std::vector<float>(channels, last_scale_[0]);
  input.offset = transposed_ ? last_offset_ : std::vector<float>(channels, last_offset_[0]);
  return input;
}

}  // namespace onnxop
