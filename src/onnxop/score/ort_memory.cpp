#include "onnxop/score/ort_memory.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

namespace onnxop {
namespace {

/// What ONNX Runtime calls. Errors are thrown through it, as its own allocators do.
struct SharedAllocator : OrtAllocator {
  SharedAllocator()
      : OrtAllocator{}, info(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault)) {
    version = ORT_API_VERSION;
    Alloc = [](OrtAllocator*, std::size_t size) { return run_memory().take(size); };
    Reserve = [](OrtAllocator*, std::size_t size) { return run_memory().take_for_long(size); };
    Free = [](OrtAllocator*, void* bytes) { run_memory().put_back(bytes); };
    Info = [](const OrtAllocator* self) -> const OrtMemoryInfo* {
      return static_cast<const SharedAllocator*>(self)->info;
    };
  }

  Ort::MemoryInfo info;
};

}  // namespace

RunMemory& run_memory() {
  static auto* const memory = new RunMemory;
  return *memory;
}

void register_run_memory(Ort::Env& env) {
  static auto* const allocator = new SharedAllocator;
  Ort::ThrowOnError(Ort::GetApi().RegisterAllocator(env, allocator));
}

}  // namespace onnxop
