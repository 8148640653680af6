#pragma once
// What a benchmark prints of itself.

#include <string>

#include "onnxop/base/json.h"

namespace onnxop::bench {

/// A line for each figure, with the keys that lead to it.
void print_figures(const Json& json, const std::string& prefix);

/// The name of this machine's processor.
std::string processor();

}  // namespace onnxop::bench
