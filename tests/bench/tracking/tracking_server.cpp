#include "bench/tracking/tracking_server.h"

#include <atomic>
#include <csignal>
#include <thread>

#include "bench/free_port.h"
#include "bench/tracking/runs.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"

namespace onnxop::bench {
namespace {

using testing_support::BackgroundProgram;

std::string script() {
  return testing_support::source_dir() / "tests" / "bench" / "tracking" / "mlflow";
}

class Onnxop : public TrackingServer {
 public:
  Onnxop() : process_({"--store", dir_ / "store"}) {
    connections_ = std::make_unique<ConnectionPool>(process_.port());
  }

  std::string experiment_of(int runs) override {
    const std::string experiment = new_experiment();
    constexpr int kThreads = 4;
    std::atomic<int> next = 0;
    std::vector<std::jthread> threads;
    std::vector<std::exception_ptr> failures(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        try {
          for (int run = next++; run < runs; run = next++) {
            post("runs/log-batch", data_body(new_run(experiment, run), run));
          }
        } catch (...) {
          failures[thread] = std::current_exception();
        }
      });
    }
    threads.clear();
    for (const std::exception_ptr& failure : failures) {
      if (failure) {
        std::rethrow_exception(failure);
      }
    }
    return experiment;
  }

 private:
  testing_support::TempDir dir_;
  ServerProcess process_;
};

class Mlflow : public TrackingServer {
 public:
  explicit Mlflow(std::optional<int> workers)
      : port_(free_port()), program_(BackgroundProgram::of(command(workers))) {
    while (!answers()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    connections_ = std::make_unique<ConnectionPool>(port_);
  }

  ~Mlflow() override {
    program_.signal(SIGTERM);  // it has workers to end
    program_.wait();
  }

  std::string experiment_of(int runs) override {
    std::string experiment = new_experiment();
    const auto filled = testing_support::run_program(
        {script(), "fill", dir_.path().string(), experiment, std::to_string(runs)});
    if (filled.exit_code != 0) {
      fail(ErrorCode::kUnavailable, "MLflow's store cannot be filled: {}", filled.err);
    }
    return experiment;
  }

 private:
  std::vector<std::string> command(std::optional<int> workers) const {
    std::vector<std::string> words{script(), "serve", dir_.path().string(), std::to_string(port_)};
    if (workers) {
      words.push_back(std::to_string(*workers));
    }
    return words;
  }

  bool answers() {
    try {
      return http_get({"127.0.0.1", port_, "/health"}).status == 200;
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kUnavailable || !program_.running()) {
        throw;
      }
      return false;
    }
  }

  testing_support::TempDir dir_;
  std::uint16_t port_;
  BackgroundProgram program_;
};

}  // namespace

std::unique_ptr<TrackingServer> TrackingServer::onnxop() {
  return std::make_unique<Onnxop>();
}

std::unique_ptr<TrackingServer> TrackingServer::mlflow(std::optional<int> workers) {
  return std::make_unique<Mlflow>(workers);
}

std::string TrackingServer::new_experiment() {
  const Json body{{"name", format("bench-{}", ++experiments_)}};
  return parse_json(post("experiments/create", dump_json(body)), "answer").at("experiment_id");
}

std::string TrackingServer::new_run(const std::string& experiment, int run) {
  const Json answer = parse_json(post("runs/create", create_body(experiment, run)), "answer");
  return answer.at("run").at("info").at("run_id");
}

std::string mlflow_version() {
  const auto said = testing_support::run_program({script(), "version"});
  if (said.exit_code != 0) {
    fail(ErrorCode::kUnavailable, "MLflow cannot be installed: {}", said.err);
  }
  return said.out.substr(0, said.out.find('\n'));
}

}  // namespace onnxop::bench
