#pragma once
// Data sets as the command line names them: mnist:train, mnist:test, folder:DIR.

#include <optional>
#include <string_view>

#include "onnxop/data/dataset.h"
#include "onnxop/onnx/contract.h"

namespace onnxop {

/// `input`, where given, says to what size and colour a folder's images are brought; a folder
/// without it needs images of one size and colour. MNIST is looked for in the default data folder.
/// Throws Error{kInvalidArgument} for a name it does not know, with those it knows; else as the
/// data room's readers.
Dataset open_dataset(std::string_view reference,
                     const std::optional<ImageInput>& input = std::nullopt);

}  // namespace onnxop
