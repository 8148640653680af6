#pragma once
// What a data set's hash is of. Private to this room.

#include <string>

#include "onnxop/data/dataset.h"

namespace onnxop {

/// SHA-256 of the samples' type, shape and bytes, then the labels, then the classes as int32, then
/// the values; little-endian.
std::string content_sha256(const Dataset& dataset);

}  // namespace onnxop
