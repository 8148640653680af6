#pragma once
// A folder inside a store that goes away with the object; what is to be published is made ready
// there, on the store's own file system. One thread at a time.

#include <filesystem>

#include "onnxop/base/file.h"

namespace onnxop {

class WorkFolder {
 public:
  explicit WorkFolder(const std::filesystem::path& store) : staged_(store / "import") {}
  const std::filesystem::path& path() const { return staged_.path(); }

 private:
  StagedDirectory staged_;  // never published
};

}  // namespace onnxop
