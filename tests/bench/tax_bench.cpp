// What serving costs beyond the model: latency on one connection, throughput on 64.

#include <grpcpp/grpcpp.h>
#include <open_inference.grpc.pb.h>

#include "bench/bench.h"
#include "bench/bench_models.h"
#include "bench/echo_server.h"
#include "bench/load_round.h"
#include "bench/server_process.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/load/http_client.h"
#include "onnxop/score/ort_scorer.h"

namespace onnxop::bench {
namespace {

constexpr int kConnections = 64;

std::vector<NamedTensor> zeros(const Scorer& scorer, std::int64_t rows) {
  Shape shape = scorer.inputs().front().shape;
  shape[0] = rows;
  std::vector<NamedTensor> inputs;
  inputs.push_back({scorer.inputs().front().name, Tensor(DType::kFloat32, shape)});
  return inputs;
}

/// Requests over one connection of gRPC, with raw tensors; any number at once.
class GrpcCaller {
 public:
  GrpcCaller(std::uint16_t port, const Scorer& scorer, const std::string& model)
      : stub_(inference::GRPCInferenceService::NewStub(grpc::CreateChannel(
            format("127.0.0.1:{}", port), grpc::InsecureChannelCredentials()))) {
    request_.set_model_name(model);
    const std::vector<NamedTensor> inputs = zeros(scorer, 1);
    auto& input = *request_.add_inputs();
    input.set_name(inputs.front().name);
    input.set_datatype("FP32");
    for (const std::int64_t size : inputs.front().tensor.shape()) {
      input.add_shape(size);
    }
    const auto bytes = inputs.front().tensor.bytes();
    request_.add_raw_input_contents(bytes.data(), bytes.size());
  }

  void call() {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    const grpc::Status status = stub_->ModelInfer(&context, request_, &response);
    if (!status.ok()) {
      fail(ErrorCode::kInternal, "gRPC: {}", status.error_message());
    }
  }

  /// From one thread, which looks for the answer all the time.
  void call_polling() {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    grpc::Status status;
    finish(*stub_->AsyncModelInfer(&context, request_, &answers_), response, status);
  }
  void call_live_polling() {
    grpc::ClientContext context;
    inference::ServerLiveResponse response;
    grpc::Status status;
    finish(*stub_->AsyncServerLive(&context, {}, &answers_), response, status);
  }

  /// What gRPC alone costs.
  void call_live() {
    grpc::ClientContext context;
    inference::ServerLiveResponse response;
    const grpc::Status status = stub_->ServerLive(&context, {}, &response);
    if (!status.ok()) {
      fail(ErrorCode::kInternal, "gRPC: {}", status.error_message());
    }
  }

 private:
  template <typename Call, typename Response>
  void finish(Call& call, Response& response, grpc::Status& status) {
    call.Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    while (answers_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_REALTIME)) !=
           grpc::CompletionQueue::GOT_EVENT) {
    }
    if (!status.ok()) {
      fail(ErrorCode::kInternal, "gRPC: {}", status.error_message());
    }
  }

  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  inference::ModelInferRequest request_;
  grpc::CompletionQueue answers_;
};

/// Medians in microseconds, and what each adds to the engine's own; `polled`: without the client's
/// waking up.
Json latency_json(const std::vector<Contender>& contenders) {
  const double raw = result_of(contenders, "engine").p50_ms;
  Json json = Json::object();
  for (const Contender& each : contenders) {
    const double p50 = median_of(each.rounds).p50_ms;
    json[each.name + "_us"] = 1e3 * p50;
    if (each.name.starts_with("png") || each.name.starts_with("binary") || each.name == "grpc" ||
        each.name == "grpc_polled") {
      json[each.name + "_added_us"] = 1e3 * (p50 - raw);
    }
  }
  return json;
}

/// The most rows a second that the engine alone does with all processors: by batch size, and with
/// its own threads or a caller on each processor.
struct Best {
  double rows_per_second = 0;
  std::int64_t batch = 1;
  int callers = 1;
};

class Engine {
 public:
  Engine(const std::filesystem::path& model, std::vector<std::int64_t> batches)
      : batches_(std::move(batches)),
        single_(load_ort_scorer(model, {.threads = 1})),
        wide_(load_ort_scorer(model, {.threads = kProcessors})) {}

  const Scorer& scorer() const { return *single_; }

  Best find_best() {
    Best best;
    for (const std::int64_t batch : batches_) {
      for (const int callers : {1, kProcessors}) {
        const double rate = rows(batch, callers, 0.3);
        if (rate > best.rows_per_second) {
          best = {rate, batch, callers};
        }
      }
    }
    return best;
  }

  /// With one caller the engine has a thread on each processor, with several each has one.
  double rows(std::int64_t batch, int callers, double seconds) {
    Scorer& scorer = callers == 1 ? *wide_ : *single_;
    const auto inputs = zeros(scorer, batch);
    return call_round([&] { scorer.run(inputs); }, callers, seconds).per_second *
           static_cast<double>(batch);
  }

 private:
  static constexpr int kProcessors = 2;

  std::vector<std::int64_t> batches_;
  std::unique_ptr<Scorer> single_, wide_;
};

/// `target` under load, in turn with the engine at its best and a server that answers the same
/// bytes at once. A request takes 1/served processor-seconds times the processors, of which 1/echo
/// go to HTTP and the client: the rest should be what the engine needs.
Json throughput(Engine& engine, const HttpTarget& target, int rounds, double seconds) {
  const HttpUrl url{target.host, target.port, target.path};
  EchoServer echo(http_exchange(url, {target.method, target.headers, target.bodies.front()}).body);
  HttpTarget echo_target = target;
  echo_target.port = echo.port();
  const Best best = engine.find_best();
  std::vector<Contender> contenders{
      {"engine",
       [&] {
         return Round{engine.rows(best.batch, best.callers, seconds), 0, 0};
       }},
      {"served", [&] { return http_round(target, kConnections, seconds); }},
      {"echo", [&] { return http_round(echo_target, kConnections, seconds); }}};
  take_turns(contenders, rounds);
  std::vector<double> shares;
  for (std::size_t i = 0; i < contenders.front().rounds.size(); ++i) {
    const double served = contenders[1].rounds[i].per_second;
    const double echoed = contenders[2].rounds[i].per_second;
    shares.push_back(1 / contenders[0].rounds[i].per_second / (1 / served - 1 / echoed));
  }
  return {{"engine_rps", result_of(contenders, "engine").per_second},
          {"engine_batch", best.batch},
          {"served_rps", result_of(contenders, "served").per_second},
          {"echo_rps", result_of(contenders, "echo").per_second},
          {"share_of_engine", median(shares)}};
}

}  // namespace

Json measure_tax(const std::filesystem::path& store, const std::filesystem::path& digits,
                 const std::filesystem::path& residual) {
  constexpr int kLatencyRounds = 9;
  constexpr int kCallRounds = 5;
  // What the machine gives changes within seconds: many short rounds, as long as each has many
  // answers.
  constexpr int kRounds = 21;
  constexpr double kSeconds = 0.5;
  constexpr int kResidualRounds = 5;
  constexpr double kResidualSeconds = 2;
  ServerProcess server({"--store", store});
  const HttpTarget png = png_target(server.port());
  Engine small(digits, {1, 4, 8, 16, 32});
  const HttpTarget binary = binary_target(small.scorer(), "mnist", server.port());
  GrpcCaller grpc(server.grpc_port(), small.scorer(), "mnist");
  EchoServer echo(std::string(250, 'x'));
  HttpTarget echo_target = png;
  echo_target.port = echo.port();

  const auto alone = load_ort_scorer(digits, {.threads = 1});
  const auto input = zeros(*alone, 1);
  std::vector<Contender> latency{
      {"engine", [&] { return call_round([&] { alone->run(input); }, 1, 0.5); }},
      {"echo", [&] { return http_round(echo_target, 1, 0.5); }},
      {"png", [&] { return http_round(png, 1, 0.5); }},
      {"binary", [&] { return http_round(binary, 1, 0.5); }},
      {"grpc_live", [&] { return call_round([&] { grpc.call_live(); }, 1, 0.5); }},
      {"grpc", [&] { return call_round([&] { grpc.call(); }, 1, 0.5); }},
      {"echo_polled", [&] { return polled_round(echo_target, 0.5); }},
      {"png_polled", [&] { return polled_round(png, 0.5); }},
      {"binary_polled", [&] { return polled_round(binary, 0.5); }},
      {"grpc_live_polled", [&] { return call_round([&] { grpc.call_live_polling(); }, 1, 0.5); }},
      {"grpc_polled", [&] { return call_round([&] { grpc.call_polling(); }, 1, 0.5); }}};
  take_turns(latency, kLatencyRounds);

  Json json{{"latency", latency_json(latency)}};
  json["png"] = throughput(small, png, kRounds, kSeconds);
  json["binary"] = throughput(small, binary, kRounds, kSeconds);
  Engine large(residual, {1, 2, 4, 8});
  json["residual"] = throughput(large, binary_target(large.scorer(), "residual", server.port()),
                                kResidualRounds, kResidualSeconds);
  std::vector<Contender> calls;
  for (const int at_once : {8, kConnections}) {
    calls.push_back({format("grpc_calls_{}", at_once),
                     [&grpc, at_once] { return call_round([&] { grpc.call(); }, at_once, 1); }});
  }
  take_turns(calls, kCallRounds);
  for (const Contender& each : calls) {
    json[each.name] = round_json(median_of(each.rounds));
  }
  return {{"tax", json}};
}

}  // namespace onnxop::bench
