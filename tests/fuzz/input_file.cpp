#include <fstream>
#include <string>

#include <stdlib.h>

#include "fuzz/fuzz.h"

namespace onnxop::fuzz {

namespace fs = std::filesystem;

InputFile::InputFile() {
  const fs::path memory = "/dev/shm";  // where there is one, no disk is written to
  std::string name =
      ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "onnxop-fuzz.XXXXXX")
          .string();
  require(::mkdtemp(name.data()) != nullptr);
  folder_ = name;
  path_ = folder_ / "input";
}

InputFile::~InputFile() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

const fs::path& InputFile::write(std::span<const std::byte> bytes) {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  require(file.good());
  return path_;
}

}  // namespace onnxop::fuzz
