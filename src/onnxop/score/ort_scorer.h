#pragma once
// Scorer on ONNX Runtime's CPU execution provider. Safe from any thread: models may be loaded at
// once, and one model may run on any number of threads at once. Telemetry is off: the first load
// sets ORT_DISABLE_TELEMETRY in the process's environment, so it must not meet another thread that
// reads or changes the environment.
//
// What runs take besides weights is shared by all models, and stays for the next run
// (run_memory.h).

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "onnxop/score/scorer.h"

namespace onnxop {

struct OrtOptions {
  int threads = 1;  // inside one run(); 1: the caller's thread alone, no pool is made
};

/// Loads a model file, and the external data that it names from its own folder. The file is
/// trusted: whoever takes it from a stranger calls check_model() first, on a copy in a folder that
/// the stranger cannot write to (the registry's store), so that no location, symbolic link or size
/// can change between the check and the load.
///
/// Inputs are used where they lie; the outputs' memory is the engine's own, kept as long as the
/// tensors live, and the model with it. Texts are copied. Outputs that are
/// not tensors (sequences, maps) are left out, with a warning, while there is another. Throws
/// Error{kNotFound}, {kInvalidArgument} with ONNX Runtime's reason for a file it cannot load
/// (unknown operator, broken graph) or less than one thread, {kUnsupported} for inputs that are no
/// tensors, without any output that is a tensor of numbers or texts, or for an ONNX Runtime older
/// than 1.21.
std::unique_ptr<Scorer> load_ort_scorer(const std::filesystem::path& path,
                                        const OrtOptions& options = {});

/// The same of a model file's content, such as a changed copy of `path`: external data is read from
/// that file's folder, and messages name it. `content` is not needed afterwards.
std::unique_ptr<Scorer> load_ort_scorer(std::span<const std::byte> content,
                                        const std::filesystem::path& path,
                                        const OrtOptions& options = {});

/// "1.21.0"
std::string ort_version();

}  // namespace onnxop
