#pragma once
// Models as the command line names them.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "onnxop/registry/store_location.h"

namespace onnxop {

inline constexpr std::string_view kModelRefHelp =
    "A path to an .onnx file, or name, name@alias, name:version in the store";

struct ModelRef {
  std::filesystem::path path;
  std::string name;          // the registered name; a file's stem
  std::int64_t version = 0;  // 0: a plain file
};

/// Words that end in .onnx or hold a slash are files, all others are looked up in the store (which
/// is not made). Throws Error{kNotFound} that says what is there.
ModelRef find_model(std::string_view reference, const StoreLocation& store);

}  // namespace onnxop
