#pragma once
// For tests: images to send, a client to send them, and a server that runs beside the test.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "onnxop/base/format.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/server/server.h"
#include "onnxop/server/test_http_client.h"

namespace onnxop::testing_server {

/// A grey image in PGM, whose first pixel is the answer of fake_classifier().
inline std::string image_of(int digit, int width = 28, int height = 28) {
  return format("P5\n{} {}\n255\n", width, height) +
         std::string(static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
                     static_cast<char>(digit));
}

inline Contract digit_contract() {
  Contract contract;
  contract.input.name = "image";
  contract.input.width = 28;
  contract.input.height = 28;
  contract.output.name = "probabilities";
  return contract;
}

inline ModelLease served(std::string name, std::int64_t version, std::shared_ptr<Scorer> scorer,
                         std::optional<Contract> contract = digit_contract(),
                         const QueueSettings& settings = {.max_batch = 1}) {
  auto model = std::make_shared<ServedModel>();
  model->name = std::move(name);
  model->version = version;
  model->contract = std::move(contract);
  model->input_dtype = DType::kFloat32;
  model->scorer = std::move(scorer);
  model->sha256 = std::string(64, 'a');
  make_queue(*model, settings);
  return model;
}

inline std::shared_ptr<ServingSet> set_of(const ModelLease& model) {
  auto set = std::make_shared<ServingSet>();
  set->add(model->name, model);
  return set;
}

/// A server on a free port of 127.0.0.1, in a thread of its own, until the object goes.
class RunningServer {
 public:
  RunningServer(ServerOptions options, Catalog& catalog, int executors = 2)
      : scheduler_(executors, clock_),
        server_(in_test(std::move(options)), {catalog, scheduler_}),
        thread_([this] { server_.run(); }) {}
  ~RunningServer() {
    server_.stop_now();
    wait();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  std::uint16_t port() const { return server_.port(); }
  Server& server() { return server_; }

  /// Until run() has returned.
  void wait() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  static ServerOptions in_test(ServerOptions options) {
    options.host = "127.0.0.1";
    options.port = 0;
    options.access_log = false;
    return options;
  }

  SystemClock clock_;
  Scheduler scheduler_;
  Server server_;
  std::thread thread_;
};

}  // namespace onnxop::testing_server
