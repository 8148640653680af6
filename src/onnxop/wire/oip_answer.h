#pragma once
// The Open Inference Protocol's answer to an inference over REST: JSON, with the outputs that are
// asked for so as raw tensors behind it. Safe from any thread.

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/wire/infer.h"

namespace onnxop {

/// Class names by output.
using OutputLabels = std::map<std::string, std::vector<std::string>, std::less<>>;

struct InferAnswerBytes {
  std::string json;
  std::vector<std::span<const std::byte>> tail;  // raw tensors, in order
  std::shared_ptr<void> owner;                   // of the tail's memory
  bool binary = false;  // the field Inference-Header-Content-Length says the JSON's size
};

/// The outputs that a request asks for, in its order, or all; classified ones as texts. Throws
/// Error{kInvalidArgument} for one that the model does not have, and for a classification of
/// outputs that are no numbers.
std::vector<NamedTensor> choose_outputs(const InferRequest& request,
                                        std::vector<NamedTensor> outputs,
                                        const OutputLabels& labels);

/// `answer` has the chosen outputs. Numbers in JSON read back as the same values. Throws
/// Error{kInvalidArgument} for what JSON cannot say (FP16, BF16, NaN, infinities, texts that are no
/// UTF-8): binary data can; {kUnsupported} for types that the protocol does not know.
InferAnswerBytes write_infer_answer(const InferRequest& request, InferAnswer answer);

}  // namespace onnxop
