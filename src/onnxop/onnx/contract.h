#pragma once
// The contract: what cannot be a node of the graph (decoding, colour, resizing, labels), carried in
// the model file's metadata_props under "onnxop.contract" as a JSON object; its schema is
// docs/contract.schema.json.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/json.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

inline constexpr std::string_view kContractKey = "onnxop.contract";

/// Width times height of a model's images; a contract that says more is refused.
inline constexpr std::int64_t kMostContractPixels = std::int64_t{1} << 24;

enum class ImageColor { kGray, kRgb };
enum class ImageResize { kArea, kBilinear, kNearest };
enum class ImageLayout { kNhwc, kNchw };

/// How an image becomes the model's input: decode, colour, resize to width x height, then per
/// element (pixel - mean[c]) * scale as float32 (or as uint8 where the input is uint8), in
/// `layout`.
struct ImageInput {
  std::string name;
  ImageColor color = ImageColor::kGray;
  int width = 0;
  int height = 0;
  ImageResize resize = ImageResize::kArea;
  ImageLayout layout = ImageLayout::kNhwc;
  float scale = 1.0F;          // 1: raw pixels, 0 to 255
  std::vector<float> mean;     // per channel, in pixel units, empty: 0
  std::vector<float> std_dev;  // per channel, in pixel units, empty: 1; the result is divided by it
};

enum class OutputKind { kClassification, kRegression };

struct ContractOutput {
  std::string name;
  OutputKind kind = OutputKind::kClassification;
  std::vector<std::string> labels;  // of classes, in order; empty: their indices
  bool logits = false;              // true: softmax is applied to the output to get probabilities
};

struct ContractTraining {
  std::string spec_sha256;
  std::string data_sha256;
  std::optional<double> test_accuracy;
  std::optional<double> test_loss;
};

struct Contract {
  int version = 1;
  ImageInput input;
  ContractOutput output;
  std::optional<ContractTraining> training;
};

Json contract_to_json(const Contract& contract);

/// Throws Error{kInvalidArgument} that names `what`, the key, what was got and what was expected;
/// unknown keys are errors.
Contract contract_from_json(const Json& json, std::string_view what);

/// The contract of a model without one, where its only input plainly is an image (4-D, 1 or 3
/// channels in NHWC or NCHW but not both, float32 or uint8, fixed height and width) and its first
/// output is [N, classes] with at least two classes; none elsewhere. Pixels are given as they are,
/// 0 to 255. The output is taken for probabilities where its name has "prob" or "softmax" in it,
/// and for logits elsewhere.
std::optional<Contract> guess_contract(const std::vector<TensorInfo>& inputs,
                                       const std::vector<TensorInfo>& outputs);

}  // namespace onnxop
