#include <algorithm>
#include <cctype>

#include "onnxop/onnx/contract.h"

namespace onnxop {
namespace {

bool is_channels(std::int64_t size) {
  return size == 1 || size == 3;
}

/// Only where one end can be the channels and the other cannot.
std::optional<ImageLayout> layout_of(const Shape& shape) {
  const bool channels_first = is_channels(shape[1]);
  const bool channels_last = is_channels(shape[3]);
  if (channels_first == channels_last) {
    return std::nullopt;
  }
  return channels_first ? ImageLayout::kNchw : ImageLayout::kNhwc;
}

bool are_probabilities(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("prob") != std::string::npos || name.find("softmax") != std::string::npos;
}

}  // namespace

std::optional<Contract> guess_contract(const std::vector<TensorInfo>& inputs,
                                       const std::vector<TensorInfo>& outputs) {
  constexpr std::int64_t kLargestSide = 65535;
  if (inputs.size() != 1 || outputs.empty() || inputs[0].shape.size() != 4 ||
      outputs[0].shape.size() != 2 || outputs[0].shape[1] < 2) {
    return std::nullopt;
  }
  const TensorInfo& in = inputs[0];
  if (in.dtype != DType::kFloat32 && in.dtype != DType::kUint8) {
    return std::nullopt;
  }
  const auto layout = layout_of(in.shape);
  if (!layout) {
    return std::nullopt;
  }
  const bool first = *layout == ImageLayout::kNchw;
  const std::int64_t channels = in.shape[first ? 1 : 3];
  const std::int64_t height = in.shape[first ? 2 : 1];
  const std::int64_t width = in.shape[first ? 3 : 2];
  if (std::min(height, width) < 1 || std::max(height, width) > kLargestSide ||
      height * width > kMostContractPixels) {
    return std::nullopt;
  }
  Contract contract;
  contract.input.name = in.name;
  contract.input.color = channels == 1 ? ImageColor::kGray : ImageColor::kRgb;
  contract.input.width = static_cast<int>(width);
  contract.input.height = static_cast<int>(height);
  contract.input.layout = *layout;
  contract.output.name = outputs[0].name;
  contract.output.logits = !are_probabilities(outputs[0].name);
  return contract;
}

}  // namespace onnxop
