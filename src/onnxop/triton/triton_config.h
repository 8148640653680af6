#pragma once
// Triton's model configuration: the text of a config.pbtxt to a value, and what of it does not
// apply here. Source: Triton's documentation, "Model Configuration". Protobuf's text format is read
// with protobuf's own reader. Safe from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// What a configuration says of an input or output.
struct TritonTensor {
  std::string name;
  DType dtype = DType::kUndefined;  // kUndefined: it does not say
  Shape dims;                       // of requests; -1: free. Without the rows: see max_batch_size
  std::optional<Shape> reshape;     // of the model, where it is another; as many elements as dims
  std::string label_filename;       // of an output: relative to the configuration; "": none
  int line = 0;
};

struct TritonVersionPolicy {
  enum class Kind : std::uint8_t { kLatest, kAll, kSpecific };
  Kind kind = Kind::kLatest;
  std::int64_t latest = 1;             // of kLatest: how many
  std::vector<std::int64_t> versions;  // of kSpecific
};

/// Something in the text that has no effect here.
struct TritonRemark {
  int line = 0;
  std::string path;  // "dynamic_batching.max_queue_delay_microseconds"
  std::string why;
};

struct TritonConfig {
  std::string name;  // "": it does not say
  /// None: it does not say. 0: requests are never joined, and dims hold all dimensions; N: at most
  /// N rows run together, and dims leave the rows out.
  std::optional<std::int64_t> max_batch_size;
  std::vector<TritonTensor> inputs, outputs;
  std::optional<TritonVersionPolicy> version_policy;
  std::string default_model_filename;  // "": model.onnx
  bool dynamic_batching = false;       // whoever wrote it says that requests may be joined
  std::optional<int> max_queue_size;   // requests that wait; more are refused
  std::optional<std::int64_t> default_timeout_us;  // of requests that name none, or a longer one

  /// Why a model with this configuration cannot be served; "": nothing.
  std::string problem;
  std::vector<TritonRemark> remarks;  // by line
};

/// Throws Error{kInvalidArgument} with line and column for a text that is no configuration: a
/// syntax error, an element type or other word that Triton does not have, a number out of range.
/// Unknown fields are remarks.
TritonConfig read_triton_config(std::string_view text);

}  // namespace onnxop
