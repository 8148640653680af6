// Microseconds of a small convolutional network (28x28x1, two convolutions, 12.7 MFLOP) on one
// thread; nanoseconds of the memory that runs share.

#include <benchmark/benchmark.h>

#include "onnxop/onnx/test_models.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/score/run_memory.h"

namespace onnxop {
namespace {

using namespace testing_models;

Model digits_model() {
  using List = std::vector<std::int64_t>;
  Model model;
  Graph& graph = model.graph;
  graph.name = "digits";
  graph.initializers.push_back(weights("w1", {16, 1, 3, 3}));
  graph.initializers.push_back(weights("w2", {32, 16, 3, 3}));
  graph.initializers.push_back(weights("w3", {32 * 12 * 12, 128}));
  graph.initializers.push_back(weights("w4", {128, 10}));
  graph.nodes = {
      node("Transpose", {"image"}, {"planes"}, {{"perm", List{0, 3, 1, 2}}}),
      node("Conv", {"planes", "w1"}, {"conv1"}),
      node("Relu", {"conv1"}, {"relu1"}),
      node("Conv", {"relu1", "w2"}, {"conv2"}),
      node("Relu", {"conv2"}, {"relu2"}),
      node("MaxPool", {"relu2"}, {"pool"}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}}),
      node("Flatten", {"pool"}, {"row"}),
      node("MatMul", {"row", "w3"}, {"dense1"}),
      node("Relu", {"dense1"}, {"relu3"}),
      node("MatMul", {"relu3", "w4"}, {"dense2"}),
      node("Softmax", {"dense2"}, {"probabilities"})};
  graph.inputs.push_back(value("image", {{-1, "N"}, {28, ""}, {28, ""}, {1, ""}}));
  graph.outputs.push_back(value("probabilities", {{-1, "N"}, {10, ""}}));
  return model;
}

void score_digits(benchmark::State& state) {
  const TemporaryFolder folder;
  const auto scorer = load_ort_scorer(folder.write("digits.onnx", serialize_model(digits_model())));
  std::vector<NamedTensor> inputs;
  inputs.push_back({"image", Tensor(DType::kFloat32, {state.range(0), 28, 28, 1})});
  for (auto _ : state) {
    benchmark::DoNotOptimize(scorer->run(inputs));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(score_digits)->Arg(1)->Arg(8)->Arg(32)->Unit(benchmark::kMicrosecond);

/// What ONNX Runtime asks some twenty times a run.
void take_a_block(benchmark::State& state) {
  static RunMemory memory;
  for (auto _ : state) {
    void* const block = memory.take(100U << 10);
    benchmark::DoNotOptimize(block);
    memory.put_back(block);
  }
}
BENCHMARK(take_a_block)->Threads(1)->Threads(2)->UseRealTime()->Unit(benchmark::kNanosecond);

}  // namespace
}  // namespace onnxop
