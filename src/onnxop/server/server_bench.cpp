// The service with a network of the size of the MNIST example's (untrained: the work is the same),
// asked by 1, 8 and 64 connections, beside ONNX Runtime alone.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/image/codec.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/server/load_client.h"
#include "onnxop/server/server.h"
#include "onnxop/serving/predict_image.h"

namespace onnxop {
namespace {

class NetworkBuilder {
 public:
  Model build() {
    using List = std::vector<std::int64_t>;
    Graph& graph = model_.graph;
    graph.name = "digits";
    graph.inputs.push_back(
        {"image", DType::kFloat32, {{-1, "N"}, {28, ""}, {28, ""}, {1, ""}}, ""});
    add("Mul", {"image", weights({1}, 1.0F / 255)}, {});
    add("Transpose", {last_}, {{"perm", List{0, 3, 1, 2}}});
    convolution(1, 16);
    convolution(16, 32);
    pool();
    convolution(32, 64);
    pool();
    const std::vector<std::int64_t> flat{-1, 1600};
    graph.initializers.push_back({"flat", Tensor::of<std::int64_t>({2}, flat), ""});
    add("Reshape", {last_, "flat"}, {});
    add("Gemm", {last_, weights({1600, 128}, 0.01F), weights({128}, 0.0F)}, {});
    add("Relu", {last_}, {});
    add("Gemm", {last_, weights({128, 10}, 0.01F), weights({10}, 0.0F)}, {});
    add("Softmax", {last_}, {{"axis", std::int64_t{1}}});
    graph.nodes.back().outputs = {"probabilities"};
    graph.outputs.push_back({"probabilities", DType::kFloat32, {{-1, "N"}, {10, ""}}, ""});
    return std::move(model_);
  }

 private:
  void add(const std::string& op_type, std::vector<std::string> inputs,
           std::map<std::string, AttributeValue> attributes) {
    last_ = format("v{}", model_.graph.nodes.size());
    model_.graph.nodes.push_back(
        {op_type, "n" + last_, std::move(inputs), {last_}, std::move(attributes), ""});
  }

  std::string weights(Shape shape, float value) {
    const std::string name = format("w{}", model_.graph.initializers.size());
    Tensor tensor(DType::kFloat32, std::move(shape));
    for (float& each : tensor.values<float>()) {
      each = value;
    }
    model_.graph.initializers.push_back({name, std::move(tensor), ""});
    return name;
  }

  void convolution(std::int64_t from, std::int64_t to) {
    add("Conv", {last_, weights({to, from, 3, 3}, 0.01F), weights({to}, 0.0F)},
        {{"kernel_shape", std::vector<std::int64_t>{3, 3}}});
    add("Relu", {last_}, {});
  }

  void pool() {
    using List = std::vector<std::int64_t>;
    add("MaxPool", {last_}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}});
  }

  Model model_;
  std::string last_;
};

/// The model and the server, for all benchmarks of the process.
class Service {
 public:
  static Service& get() {
    static Service service;
    return service;
  }

  const ModelLease& model() const { return model_; }
  const std::string& image() const { return image_; }
  std::uint16_t port() const { return server_->port(); }

 private:
  Service() {
    std::string folder = (std::filesystem::temp_directory_path() / "onnxop-bench.XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) {
      fail(ErrorCode::kIo, "no temporary folder {}", folder);
    }
    const auto file = std::filesystem::path(folder) / "mnist.onnx";
    write_file_atomically(file, serialize_model(NetworkBuilder().build()));
    model_ = load_served_model(source_of(file), [](const std::filesystem::path& path) {
      return std::shared_ptr<Scorer>(load_ort_scorer(path));
    });
    std::filesystem::remove_all(folder);
    auto set = std::make_shared<ServingSet>();
    set->add("mnist", model_);
    catalog_.publish(set);
    Image picture{28, 28, 1, std::vector<std::uint8_t>(784)};
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
      picture.pixels[i] = static_cast<std::uint8_t>(i * i % 251);
    }
    const auto png = encode_png(picture);
    image_.assign(reinterpret_cast<const char*>(png.data()), png.size());
    const char* const log = ::getenv("ONNXOP_BENCH_LOG");
    init_logging({.level = log != nullptr ? LogLevel::kInfo : LogLevel::kError});
    server_ = std::make_unique<Server>(ServerOptions{.port = 0, .access_log = log != nullptr},
                                       ServingCore{catalog_, scheduler_});
    thread_ = std::thread([this] { server_->run(); });
  }
  ~Service() {
    server_->stop();
    thread_.join();
  }

  ModelLease model_;
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{2, clock_};
  std::string image_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

void engine_alone(benchmark::State& state) {
  const ModelLease model = Service::get().model();
  const NamedTensor input{"image", Tensor(DType::kFloat32, {1, 28, 28, 1})};
  for (auto _ : state) {
    benchmark::DoNotOptimize(model->scorer->run(std::span(&input, 1)));
  }
}
BENCHMARK(engine_alone)->UseRealTime()->Unit(benchmark::kMicrosecond);

void classify_alone(benchmark::State& state) {
  Service& service = Service::get();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        predict_image(*service.model(), decode_image(as_bytes(service.image()))));
  }
}
BENCHMARK(classify_alone)->UseRealTime()->Unit(benchmark::kMicrosecond);

void over_http(benchmark::State& state, const std::string& path) {
  Service& service = Service::get();
  LoadResult result;
  for (auto _ : state) {
    result = run_load({.port = service.port(),
                       .path = path,
                       .body = service.image(),
                       .connections = static_cast<int>(state.range(0)),
                       .requests = 10'000});
  }
  state.counters["rps"] = result.rps;
  state.counters["p50_us"] = 1e3 * result.p50_ms;
  state.counters["p99_us"] = 1e3 * result.p99_ms;
  state.counters["errors"] = static_cast<double>(result.errors);
}
BENCHMARK_CAPTURE(over_http, classify, "/api/classify_digit")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64)
    ->Iterations(1)
    ->Repetitions(3)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace onnxop
