#pragma once
// Folders to write to. Safe to call from any thread.

#include <filesystem>

namespace onnxop {

/// Makes the folder with those above it; it may be there. Throws as fail_to_write() does, naming
/// it.
void make_folders(const std::filesystem::path& folder);

}  // namespace onnxop
