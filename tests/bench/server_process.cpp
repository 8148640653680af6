#include "bench/server_process.h"

#include "onnxop/base/test_memory.h"

namespace onnxop::bench {
namespace {

std::vector<std::string> arguments(const testing_support::TempDir& dir,
                                   std::vector<std::string> options) {
  const std::vector<std::string> ports{"--port",      "0", "--port-file",      dir / "port",
                                       "--grpc-port", "0", "--grpc-port-file", dir / "grpc-port"};
  options.insert(options.begin(), "serve");
  options.insert(options.end(), ports.begin(), ports.end());
  return options;
}

}  // namespace

ServerProcess::ServerProcess(std::vector<std::string> options)
    : started_(std::chrono::steady_clock::now()), program_(arguments(dir_, std::move(options))) {}

std::uint16_t ServerProcess::port() {
  return static_cast<std::uint16_t>(std::stoi(program_.wait_for_file(dir_ / "port")));
}

std::uint16_t ServerProcess::grpc_port() {
  return static_cast<std::uint16_t>(std::stoi(program_.wait_for_file(dir_ / "grpc-port")));
}

double ServerProcess::milliseconds_since_start() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started_)
      .count();
}

double ServerProcess::resident_mb() const {
  return static_cast<double>(resident_memory(program_.pid())) / (1 << 20);
}

}  // namespace onnxop::bench
