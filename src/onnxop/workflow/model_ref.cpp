#include "onnxop/workflow/model_ref.h"

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

ModelRef find_model(std::string_view reference, const StoreLocation& store) {
  if (reference.ends_with(".onnx") || reference.find('/') != std::string_view::npos) {
    const std::filesystem::path path(reference);
    if (!std::filesystem::exists(path)) {
      fail(ErrorCode::kNotFound, "{}: there is no such file", reference);
    }
    return {.path = path, .name = path.stem().string()};
  }
  const SystemClock clock;
  const Registry registry(store, clock, /*must_exist=*/true);
  const ModelVersion version = registry.models().resolve(reference);
  return {.path = version.model_path, .name = version.name, .version = version.version};
}

}  // namespace onnxop
