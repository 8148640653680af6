#pragma once
// Inference requests of the Open Inference Protocol with random tensors, made from a model's own
// description.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace onnxop {

/// Sizes for inputs with free dimensions, by input name.
using InputShapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// A request with the binary tensor extension.
struct InferBody {
  std::string bytes;            // JSON, then the tensors
  std::size_t header_size = 0;  // of the JSON
};

/// `metadata` is the answer to GET /v2/models/NAME. A free dimension counts 1 where `shapes` does
/// not say otherwise. Values: FP in [0, 1), UINT8 in [0, 256), other integers in [0, 10), which
/// suit images, and indices. The same seed gives the same bytes. Throws Error{kInvalidArgument} for
/// a body that is no model's metadata, a shape of an unknown input or one that does not fit it;
/// {kUnsupported} for a type that is unknown; {kTooLarge} over 1 GiB.
InferBody random_infer_body(std::string_view metadata, const InputShapes& shapes,
                            std::uint64_t seed);

}  // namespace onnxop
