#pragma once
// Somebody else's model into the store.

#include <filesystem>
#include <string_view>
#include <vector>

#include "onnxop/onnx/contract.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

/// Checks the file (ONNX's rules, external data inside its folder), loads it with the engine, and
/// publishes it as the next version of `name`. `contract_file` (empty: none) is written into the
/// stored copy's metadata; it must fit the model's inputs and outputs. Throws what check_model,
/// load_ort_scorer and Registry::register_model throw; nothing is left behind then.
ModelVersion import_model(const std::filesystem::path& file, std::string_view name,
                          const std::filesystem::path& contract_file, Registry& registry);

/// Throws Error{kInvalidArgument} unless the contract's input and output are among the model's,
/// with shapes that an image of the contract's size, colour and layout and its labels fit. `what`
/// names the contract's origin.
void check_contract_fits(const Contract& contract, const std::vector<TensorInfo>& inputs,
                         const std::vector<TensorInfo>& outputs, std::string_view what);

}  // namespace onnxop
