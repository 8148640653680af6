#pragma once
// Somebody else's model into the store.

#include <filesystem>
#include <optional>
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

/// What a model file needs beside it, and what it takes and gives.
struct ImportableModel {
  std::vector<std::filesystem::path> companions = {};  // relative to its folder
  std::optional<Contract> contract = {};               // its own, or the one guessed
};

/// The same checks and the loading, without publishing.
ImportableModel check_importable(const std::filesystem::path& file);

/// The files of external data that a model names, relative to its folder, whether they are there or
/// not. Throws what describe_model throws.
std::vector<std::filesystem::path> companions_of(const std::filesystem::path& file);

/// Throws Error{kInvalidArgument} unless the contract's input and output are among the model's,
/// with shapes that an image of the contract's size, colour and layout and its labels fit. `what`
/// names the contract's origin.
void check_contract_fits(const Contract& contract, const std::vector<TensorInfo>& inputs,
                         const std::vector<TensorInfo>& outputs, std::string_view what);

}  // namespace onnxop
