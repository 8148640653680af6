#pragma once
// Scorer on ONNX Runtime's CPU execution provider.

#include <filesystem>
#include <memory>
#include <string>

#include "onnxop/score/scorer.h"

namespace onnxop {

struct OrtOptions {
  int threads = 1;  // inside one run(); 1: the caller's thread alone, no pool is made
};

/// Loads a model file. Throws Error{kNotFound}, Error{kInvalidArgument} with ONNX Runtime's reason
/// for a file it cannot load (unknown operator, broken graph).
std::unique_ptr<Scorer> load_ort_scorer(const std::filesystem::path& path,
                                        const OrtOptions& options = {});

/// "1.21.0"
std::string ort_version();

}  // namespace onnxop
