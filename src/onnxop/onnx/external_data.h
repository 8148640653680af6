#pragma once
// Where a tensor's external data may lie: in a file inside the model's own folder. Private to this
// room.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace onnxop {

struct ExternalRange {
  std::string location;                 // relative to the model's folder, as the model writes it
  std::optional<std::uint64_t> offset;  // none: 0
  std::optional<std::uint64_t> length;  // none: up to the end
};

/// What is wrong with it: a location that is empty, absolute, has "..", or leaves `folder` through
/// a symbolic link; a file that is missing or no regular file, or that is shorter than the range;
/// none where all is well.
std::optional<std::string> external_range_problem(const ExternalRange& range,
                                                  const std::filesystem::path& folder);

/// The folder that a model file's external data must be in.
std::filesystem::path model_folder(const std::filesystem::path& model_file);

}  // namespace onnxop
