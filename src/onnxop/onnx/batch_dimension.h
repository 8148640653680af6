#pragma once
// Whether requests to a model may be merged: whether row i of every output (its slice along
// dimension 0) depends on row i of every input alone, whatever the number of rows. Found from the
// graph, by a rule for each operator; what has no rule is not proven, and nothing is proven wrongly
// for a model that check_model() accepts. Safe from any thread.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "onnxop/base/file.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

struct BatchDimension {
  bool proven = false;
  /// The number of rows that all inputs declare; none: it is free. Where it is fixed, `proven`
  /// says that it becomes free by with_free_batch().
  std::optional<std::int64_t> fixed = {};
  std::string reason = {};  // where it is not proven: "node 'soft' (Softmax): it works over …"
};

BatchDimension find_batch_dimension(const Model& model);
BatchDimension find_batch_dimension(const Graph& graph, std::int64_t opset = Model().opset);
/// Of a model file; throws as describe_model does. External data is not read.
BatchDimension find_batch_dimension(const std::filesystem::path& path);

/// The model with a free number of rows instead of a fixed one: in the declarations of its inputs
/// and outputs (and what is between them), and in the targets of Reshape. One that is free already
/// stays as it is. Throws Error{kUnsupported} with the reason where it is not proven.
Model with_free_batch(Model model);
/// The same of a model file, as the new file's bytes: external data is still named relative to the
/// folder. Throws as describe_model does too.
Bytes with_free_batch(const std::filesystem::path& path);

/// What is served instead of a model file where it gives the same answers, faster.
struct ServingCopy {
  BatchDimension batch;     // of the file as it is
  Bytes content;            // a model file; empty: the file as it is
  bool freed = false;       // it has a free number of rows, and the file a fixed one
  std::size_t widened = 0;  // constants that got the rank of the input that they scale
};

/// Not for its constants alone where the model is over 64 MB. `batched`: a free number of rows is
/// of use. Throws as describe_model does, and Error{kTooLarge}.
ServingCopy serving_copy(const std::filesystem::path& path, bool batched = true);

}  // namespace onnxop
