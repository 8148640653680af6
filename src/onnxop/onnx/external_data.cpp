#include "onnxop/onnx/external_data.h"

#include <algorithm>
#include <system_error>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using Problem = std::optional<std::string>;

/// What the text alone shows. ONNX Runtime reads "*/_ORT_MEM_ADDR_/*" as an address in its own
/// memory.
Problem location_problem(const std::string& location) {
  const fs::path path(location);
  if (location.empty()) {
    return "external data: no location";
  }
  if (location.find('\0') != std::string::npos ||
      location.find("_ORT_MEM_ADDR_") != std::string::npos) {
    return "external data: its location is no file name";
  }
  if (path.is_absolute() || location.front() == '\\') {
    return format(
        "external data: got the absolute location '{}', expected one in the model's folder",
        location);
  }
  if (std::find(path.begin(), path.end(), fs::path("..")) != path.end()) {
    return format(
        "external data: got the location '{}' with '..', expected one in the model's folder",
        location);
  }
  return std::nullopt;
}

bool is_inside(const fs::path& file, const fs::path& folder) {
  const auto [end, other] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return end == folder.end() && other != file.end();
}

}  // namespace

std::optional<std::string> external_range_problem(const ExternalRange& range,
                                                  const fs::path& folder) {
  if (auto problem = location_problem(range.location)) {
    return problem;
  }
  std::error_code error;
  const fs::path real_folder = fs::canonical(folder, error);
  const fs::path real_file = error ? fs::path() : fs::canonical(folder / range.location, error);
  if (error) {
    return format("external data: '{}' in the model's folder: {}", range.location, error.message());
  }
  if (!is_inside(real_file, real_folder)) {
    return format("external data: '{}' leads out of the model's folder through a symbolic link",
                  range.location);
  }
  if (!fs::is_regular_file(real_file, error)) {
    return format("external data: '{}' is no regular file", range.location);
  }
  const std::uint64_t size = fs::file_size(real_file, error);
  if (error) {
    return format("external data: '{}': {}", range.location, error.message());
  }
  const std::uint64_t offset = range.offset.value_or(0);
  if (offset > size || range.length.value_or(0) > size - offset) {
    return format("external data: bytes {} to {} lie beyond the end of '{}', which has {}", offset,
                  offset + range.length.value_or(0), range.location, size);
  }
  return std::nullopt;
}

fs::path model_folder(const fs::path& model_file) {
  const fs::path folder = model_file.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

}  // namespace onnxop
