#include "onnxop/workflow/measure_latency.h"

#include <algorithm>
#include <vector>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr int kWarmUp = 10;
constexpr std::size_t kFewest = 5;
constexpr std::size_t kMost = 200;
constexpr double kSeconds = 2;

Tensor one_row(const TensorInfo& info) {
  if (info.dtype == DType::kString) {
    fail(ErrorCode::kUnsupported, "input '{}' takes texts: its latency cannot be measured",
         info.name);
  }
  Shape shape = info.shape;
  std::ranges::replace(shape, std::int64_t{-1}, std::int64_t{1});
  Tensor tensor(info.dtype, shape);
  if (info.dtype == DType::kFloat32) {
    float value = 0;
    for (float& element : tensor.values<float>()) {
      element = value = value < 1 ? value + 1.0F / 64 : 0;
    }
  }
  return tensor;
}

}  // namespace

double measure_latency_ms(Scorer& scorer, const Clock& clock) {
  std::vector<NamedTensor> inputs;
  for (const TensorInfo& info : scorer.inputs()) {
    inputs.push_back({info.name, one_row(info)});
  }
  for (int i = 0; i < kWarmUp; ++i) {
    scorer.run(inputs);
  }
  std::vector<double> times;
  const SteadyTime start = clock.steady();
  while (times.size() < kFewest ||
         (times.size() < kMost && seconds_between(start, clock.steady()) < kSeconds)) {
    const SteadyTime begin = clock.steady();
    scorer.run(inputs);
    times.push_back(1000 * seconds_between(begin, clock.steady()));
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

}  // namespace onnxop
