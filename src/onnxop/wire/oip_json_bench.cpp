// One image of 224x224x3 as FP32 (150,528 elements) through the Open Inference Protocol's requests
// and answers over REST, as JSON and as raw bytes; and a small one, as MNIST has them.

#include <cstring>

#include <benchmark/benchmark.h>

#include "onnxop/base/format.h"
#include "onnxop/base/random.h"
#include "onnxop/wire/oip_answer.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

enum class Values { kUnit, kPixels };

Tensor image(std::int64_t elements, Values values) {
  Tensor tensor(DType::kFloat32, {1, elements});
  Random random(1, 0);
  for (float& each : tensor.values<float>()) {
    each = values == Values::kUnit ? random.uniform() : static_cast<float>(random.below(256));
  }
  return tensor;
}

InferAnswer answer_of(Tensor tensor) {
  InferAnswer answer{"model", "1", "", {}};
  answer.outputs.push_back({"x", std::move(tensor)});
  return answer;
}

std::vector<std::byte> as_bytes(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

void report(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.counters["bytes"] = static_cast<double>(bytes);
}

void parse_json(benchmark::State& state, Values values) {
  std::string json = write_infer_answer({}, answer_of(image(state.range(0), values))).json;
  json.replace(json.find("\"outputs\""), 9, "\"inputs\"");
  auto body = as_bytes(json);
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_infer_request(body, std::nullopt, {}));
  }
  report(state, body.size());
}
BENCHMARK_CAPTURE(parse_json, unit, Values::kUnit)->Arg(784)->Arg(150528);
BENCHMARK_CAPTURE(parse_json, pixels, Values::kPixels)->Arg(784)->Arg(150528);

void parse_binary(benchmark::State& state) {
  const Tensor tensor = image(state.range(0), Values::kUnit);
  std::string json =
      format(R"({{"inputs":[{{"name":"x","shape":[1,{}],"datatype":"FP32","parameters":)"
             R"({{"binary_data_size":{}}}}}]}})",
             state.range(0), tensor.bytes().size());
  json.resize((json.size() + 63) / 64 * 64, ' ');  // so that the floats are aligned
  auto body = as_bytes(json);
  body.insert(body.end(), tensor.bytes().begin(), tensor.bytes().end());
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_infer_request(body, json.size(), {}));
  }
  report(state, body.size());
}
BENCHMARK(parse_binary)->Arg(784)->Arg(150528);

void write_answer(benchmark::State& state, bool binary) {
  const Tensor tensor = image(state.range(0), Values::kUnit);
  InferRequest request;
  request.binary_outputs = binary;
  std::size_t bytes = 0;
  for (auto _ : state) {
    Tensor view =
        Tensor::view(DType::kFloat32, tensor.shape(),
                     {const_cast<std::byte*>(tensor.bytes().data()), tensor.bytes().size()});
    InferAnswerBytes answer = write_infer_answer(request, answer_of(std::move(view)));
    bytes = answer.json.size() + (answer.tail.empty() ? 0 : answer.tail[0].size());
    benchmark::DoNotOptimize(answer);
  }
  report(state, bytes);
}
BENCHMARK_CAPTURE(write_answer, json, false)->Arg(10)->Arg(1000)->Arg(150528);
BENCHMARK_CAPTURE(write_answer, binary, true)->Arg(10)->Arg(1000)->Arg(150528);

}  // namespace
}  // namespace onnxop
