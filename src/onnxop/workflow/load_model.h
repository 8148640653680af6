#pragma once
// A model named on the command line, loaded.

#include <filesystem>
#include <string_view>

#include "onnxop/registry/store_location.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

/// Reference as find_model() takes it; a file is checked first, a stored version's hash is
/// compared. One thread scores.
ModelLease load_model(std::string_view reference, const StoreLocation& store);

}  // namespace onnxop
