#include <chrono>

#include "bench/bench.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/score/ort_scorer.h"

namespace onnxop::bench {
namespace {

double seconds_of_runs(Scorer& scorer, const std::vector<NamedTensor>& inputs, int runs) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < runs; ++i) {
    scorer.run(inputs);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Json measure_scoring(const std::filesystem::path& model_file) {
  constexpr int kRounds = 7;
  constexpr int kImagesARound = 4096;
  const auto scorer = load_ort_scorer(model_file, {.threads = 1});
  Json result;
  for (const int batch : {1, 8, 32}) {
    Shape shape = scorer->inputs().front().shape;
    shape[0] = batch;
    std::vector<NamedTensor> inputs;
    inputs.push_back({scorer->inputs().front().name, Tensor(DType::kFloat32, shape)});
    std::vector<double> micros;
    seconds_of_runs(*scorer, inputs, 10);
    for (int round = 0; round < kRounds; ++round) {
      micros.push_back(seconds_of_runs(*scorer, inputs, kImagesARound / batch) * 1e6 /
                       kImagesARound);
    }
    result[format("batch_{}_us", batch)] = median(micros);
  }
  return result;
}

}  // namespace onnxop::bench
