#pragma once
// For tests: where the sources lie, for the files beside them that tests look at.

#include <filesystem>

namespace onnxop {

std::filesystem::path source_dir();

}  // namespace onnxop
