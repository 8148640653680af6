// The same job by other servers: Node with onnxruntime-node, Python with Flask.

#include <list>
#include <thread>

#include "bench/bench.h"
#include "bench/bench_models.h"
#include "bench/free_port.h"
#include "bench/load_round.h"
#include "bench/server_process.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/load/http_client.h"

namespace onnxop::bench {
namespace {

using testing_support::BackgroundProgram;

std::filesystem::path run_script() {
  return testing_support::source_dir() / "tests" / "bench" / "peers" / "run";
}

class Peer {
 public:
  Peer(std::string name, const std::filesystem::path& model)
      : name_(std::move(name)),
        port_(free_port()),
        program_(
            BackgroundProgram::of({run_script(), name_, model.string(), std::to_string(port_)})) {}
  ~Peer() {
    program_.signal(SIGTERM);  // a gunicorn has workers to end
    program_.wait();
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const std::string& name() const { return name_; }
  std::uint16_t port() const { return port_; }

  /// Throws Error{kUnavailable} when the program ends, or answers anything but 200.
  void wait_until_it_answers() {
    const HttpTarget target = png_target(port_);
    for (;;) {
      try {
        const HttpAnswer answer = http_exchange({target.host, port_, target.path},
                                                {"POST", target.headers, target.bodies.front()});
        if (answer.status == 200) {
          return;
        }
        fail(ErrorCode::kInternal, "{} answers {}: {}", name_, answer.status, answer.body);
      } catch (const Error& e) {
        if (e.code() != ErrorCode::kUnavailable || !program_.running()) {
          throw;
        }
        std::this_thread::yield();
      }
    }
  }

 private:
  std::string name_;
  std::uint16_t port_;
  BackgroundProgram program_;
};

}  // namespace

Json measure_peers(const std::filesystem::path& store, const std::filesystem::path& digits) {
  constexpr int kRounds = 3;
  const auto installed = testing_support::run_program({run_script(), "install"});
  if (installed.exit_code != 0) {
    fail(ErrorCode::kUnavailable, "the peers cannot be installed: {}", installed.err);
  }
  ServerProcess server({"--store", store});
  std::list<Peer> peers;
  for (const char* name : {"node", "flask", "gunicorn"}) {
    peers.emplace_back(name, digits).wait_until_it_answers();
  }
  Json json = Json::object();
  for (const int connections : {1, 64}) {
    std::vector<Contender> contenders{
        {"onnxop", [&] { return http_round(png_target(server.port()), connections, 2); }}};
    for (const Peer& peer : peers) {
      contenders.push_back({peer.name(), [&peer, connections] {
                              return http_round(png_target(peer.port()), connections, 2);
                            }});
    }
    take_turns(contenders, kRounds);
    const Round own = result_of(contenders, "onnxop");
    Json table = Json::object();
    for (const Contender& each : contenders) {
      const Round round = median_of(each.rounds);
      table[each.name] = round_json(round);
      table[each.name]["onnxop_times"] = own.per_second / round.per_second;
    }
    json[format("connections_{}", connections)] = table;
  }
  return {{"peers", json}};
}

}  // namespace onnxop::bench
