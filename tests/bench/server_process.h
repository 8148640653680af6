#pragma once
// The built server in a process of its own, as the benchmarks ask it.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "support/program.h"

namespace onnxop::bench {

class ServerProcess {
 public:
  /// `onnxop serve` with these options, on free ports, with gRPC.
  explicit ServerProcess(std::vector<std::string> options);

  /// They wait until the server answers there.
  std::uint16_t port();
  std::uint16_t grpc_port();

  double milliseconds_since_start() const;
  /// Resident memory now.
  double resident_mb() const;
  pid_t pid() const { return program_.pid(); }

 private:
  testing_support::TempDir dir_;
  std::chrono::steady_clock::time_point started_;
  testing_support::BackgroundProgram program_;
};

}  // namespace onnxop::bench
