#pragma once
// Spec -> ONNX graph (opset 17): the one that is trained and, with the trained initializers and
// without its Dropout nodes, exported. Images come in as raw pixels 0 to 255, [N, height, width,
// channels]; scaling and the change to channels-first are its first nodes. Nodes are named as Keras
// names layers: conv2d, conv2d_1, dense.

#include <string>
#include <vector>

#include "onnxop/onnx/graph.h"
#include "onnxop/train/spec.h"

namespace onnxop {

/// What the data says about the network's ends.
struct NetworkEnds {
  Shape sample{};                     // [height, width, channels] or [features]
  std::int64_t outputs = 0;           // classes, or values of regression
  std::vector<std::string> labels{};  // of the classes; for doc strings
  std::vector<float> mean{};          // per feature, where the spec asks for standardize
  std::vector<float> std_dev{};       // the same, over 0
};

/// Input `image` or `features`, output `probabilities` or `values`, float32, the batch dimension
/// free ("N"). Kernels are drawn from train.seed. Throws Error{kInvalidArgument} where layers and
/// data do not fit (check_network).
Graph build_graph(const TrainSpec& spec, const NetworkEnds& ends);

}  // namespace onnxop
