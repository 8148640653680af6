#pragma once
// The answer of GET /api/models.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onnxop/onnx/contract.h"

namespace onnxop {

struct ModelListEntry {
  std::string name;
  std::int64_t version = 0;  // 0: a plain file
  std::string sha256;
  std::vector<std::string> routes;  // paths: "/api/classify_digit"
  std::optional<Contract> contract;
};

/// {"models": [{"name", "version", "sha256", "routes", "input", "output"}]}; input and output as
/// the contract has them, null for a model that takes no images.
std::string model_list_json(std::span<const ModelListEntry> models);

}  // namespace onnxop
