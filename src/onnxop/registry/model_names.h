#pragma once
// What models, aliases and stages may be called, how a version is referred to, and the folder that
// a name stands for. Pure functions. No part of the room's interface.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onnxop {

constexpr std::string_view kModelFile = "model.onnx";
constexpr std::string_view kLatestAlias = "latest";
constexpr std::string_view kNoStage = "None";

/// Throws Error{kInvalidArgument}: the rules are in models.h.
void check_model_name(std::string_view name);
void check_alias(std::string_view alias);
/// One that can be set: no "latest", no "v" with digits.
void check_alias_to_set(std::string_view alias);

/// The stage as MLflow writes it ("staging" -> "Staging"). Throws Error{kInvalidArgument}.
std::string canonical_stage(std::string_view stage);

/// "name", "name:3" or "name@alias".
struct ModelReference {
  std::string name;
  std::optional<std::int64_t> version;
  std::optional<std::string> alias;
};
/// Throws Error{kInvalidArgument}.
ModelReference parse_model_reference(std::string_view text);

/// A folder's name for a model's: letters, digits, '.', '_', '-' and what is not ASCII stay, all
/// else and a '.' in front become "%" and two hex digits. At most 200 bytes: of a longer one the
/// beginning, so that two names may have one folder name. Never contains '~'.
std::string folder_for_model(std::string_view name);

}  // namespace onnxop
