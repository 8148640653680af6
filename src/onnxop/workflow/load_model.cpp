#include "onnxop/workflow/load_model.h"

#include "onnxop/base/clock.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/workflow/model_ref.h"

namespace onnxop {

ModelLease load_model(std::string_view reference, const StoreLocation& store) {
  const auto load = [](const std::filesystem::path& path,
                       std::span<const std::byte>) -> std::shared_ptr<Scorer> {
    return load_ort_scorer(path);
  };
  const QueueSettings one_at_a_time{.max_batch = 1};
  const ModelRef model = find_model(reference, store);
  if (model.version == 0) {
    check_model(model.path);
    return load_served_model(source_of(model.path), load, one_at_a_time);
  }
  const SystemClock clock;
  const Registry registry(store, clock, /*must_exist=*/true);
  return load_served_model(
      source_of(registry, registry.models().version(model.name, model.version)), load,
      one_at_a_time);
}

}  // namespace onnxop
