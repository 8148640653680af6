#include "onnxop/base/folder.h"

#include "onnxop/base/storage_error.h"

namespace onnxop {

void make_folders(const std::filesystem::path& folder) {
  std::error_code refused;
  std::filesystem::create_directories(folder, refused);
  if (refused) {
    fail_to_write(refused, format("{}: cannot make the folder", folder.native()));
  }
}

}  // namespace onnxop
