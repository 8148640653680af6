#pragma once
// The memory that ONNX Runtime has for models: all of them share it.

#include "onnxop/score/run_memory.h"

namespace Ort {
struct Env;
}

namespace onnxop {

/// Of this process; never destroyed, as models may be released until the very end. Any thread.
RunMemory& run_memory();

/// Models that are loaded with `env` from now on use run_memory(). Throws Ort::Exception.
void register_run_memory(Ort::Env& env);

}  // namespace onnxop
