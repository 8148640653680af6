#pragma once
// An inference as every protocol means it: what REST and gRPC messages are read into, and what
// their answers are written from. Values; nothing here is shared between threads.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

struct WantedOutput {
  std::string name;
  std::optional<bool> binary;       // REST: as raw bytes behind the JSON; none: as the request says
  std::int64_t classification = 0;  // over 0: that many best classes, as BYTES "value:index:label"
};

struct InferRequest {
  std::string id;  // "" where the client gave none
  /// In the message's order. Tensors may look at the message's bytes, which must outlive them.
  std::vector<NamedTensor> inputs;
  std::vector<WantedOutput> outputs;                 // empty: all that the model has
  bool binary_outputs = false;                       // REST: for outputs that do not say themselves
  std::int64_t classification = 0;                   // for all outputs, where `outputs` is empty
  std::optional<std::chrono::microseconds> timeout;  // the parameter "timeout"
};

struct InferAnswer {
  std::string model_name;
  std::string model_version;
  std::string id;
  /// All tensors that the model gave.
  std::vector<NamedTensor> outputs;
};

}  // namespace onnxop
