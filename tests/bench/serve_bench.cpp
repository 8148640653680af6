#include <chrono>
#include <fstream>
#include <sstream>

#include "bench/bench.h"
#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/data/mnist.h"
#include "onnxop/image/codec.h"
#include "onnxop/registry/registry.h"
#include "onnxop/server/load_client.h"
#include "support/program.h"

namespace onnxop::bench {
namespace {

using testing_support::BackgroundProgram;
using testing_support::TempDir;

std::string first_digit_png() {
  const Dataset test = load_mnist(default_data_dir() / "mnist", "test");
  const auto pixels = test.samples.values<std::uint8_t>().first(28 * 28);
  const auto png = encode_png({28, 28, 1, {pixels.begin(), pixels.end()}});
  return {reinterpret_cast<const char*>(png.data()), png.size()};
}

/// The built server on a store with one model.
class ServerProcess {
 public:
  explicit ServerProcess(const std::string& store)
      : started_(std::chrono::steady_clock::now()),
        program_({"serve", "--store", store, "--port", "0", "--port-file", dir_ / "port",
                  "--log-level", "info"}) {}

  LoadResult load(const std::string& body, int connections, std::int64_t requests) {
    const auto port = static_cast<std::uint16_t>(std::stoi(program_.wait_for_file(dir_ / "port")));
    const LoadResult result = run_load({.port = port,
                                        .path = "/api/classify_digit",
                                        .body = body,
                                        .connections = connections,
                                        .requests = requests});
    if (result.errors > 0) {
      fail(ErrorCode::kInternal, "{} of {} requests failed", result.errors, requests);
    }
    return result;
  }

  double milliseconds_since_start() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started_)
        .count();
  }

  /// Resident memory now.
  double resident_mb() const {
    std::ifstream status(format("/proc/{}/status", program_.pid()));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) {
        return std::stod(line.substr(6)) / 1024;
      }
    }
    fail(ErrorCode::kInternal, "the server has no VmRSS");
  }

 private:
  TempDir dir_;
  std::chrono::steady_clock::time_point started_;
  BackgroundProgram program_;
};

Json load_json(const std::vector<LoadResult>& rounds) {
  std::vector<double> rps;
  std::vector<double> p50;
  std::vector<double> p99;
  for (const auto& round : rounds) {
    rps.push_back(round.rps);
    p50.push_back(round.p50_ms);
    p99.push_back(round.p99_ms);
  }
  return {{"rps", median(rps)}, {"p50_ms", median(p50)}, {"p99_ms", median(p99)}};
}

std::uint64_t stripped_size(const std::filesystem::path& program, const TempDir& dir) {
  const auto stripped = dir.path() / program.filename();
  testing_support::run_program({"strip", "-o", stripped.string(), program.string()});
  return std::filesystem::file_size(stripped);
}

/// Sizes of the shared libraries that `program` loads, the C and C++ run time apart.
std::uint64_t library_bytes(const std::filesystem::path& program) {
  const auto outcome = testing_support::run_program({"ldd", program.string()});
  std::istringstream lines(outcome.out);
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto arrow = line.find("=> /");
    const bool system =
        line.find("libc.so") != std::string::npos || line.find("libm.so") != std::string::npos ||
        line.find("libstdc++") != std::string::npos || line.find("libgcc_s") != std::string::npos ||
        line.find("libpthread") != std::string::npos ||
        line.find("libdl.so") != std::string::npos || line.find("librt.so") != std::string::npos;
    if (arrow != std::string::npos && !system) {
      const auto from = arrow + 3;
      bytes += std::filesystem::file_size(line.substr(from, line.find(' ', from) - from));
    }
  }
  return bytes;
}

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

}  // namespace

Json measure_serving(const std::filesystem::path& model_file, double raw_rate) {
  constexpr int kRounds = 5;
  constexpr int kStarts = 11;
  const TempDir dir;
  const std::string store = dir / "store";
  {
    const SystemClock clock;
    Registry registry(store, clock);
    registry.register_model("mnist", model_file, "", "benchmark");
  }
  const std::string body = first_digit_png();
  std::vector<double> starts;
  for (int i = 0; i < kStarts; ++i) {
    ServerProcess server(store);
    server.load(body, 1, 1);
    starts.push_back(server.milliseconds_since_start());
  }
  Json serve{{"raw_rate_batch_1", raw_rate}};
  ServerProcess server(store);
  std::int64_t requests = 0;
  double resident = 0;
  for (const int connections : {1, 8, 64}) {
    const std::int64_t count = connections == 1 ? 2000 : 4000;
    std::vector<LoadResult> rounds;
    server.load(body, connections, 200);
    for (int round = 0; round < kRounds; ++round) {
      rounds.push_back(server.load(body, connections, count));
      requests += count;
      if (resident == 0 && requests >= 10'000) {
        resident = server.resident_mb();
      }
    }
    serve[format("connections_{}", connections)] = load_json(rounds);
  }
  return {{"serve", serve}, {"startup_ms", median(starts)}, {"rss_mb", resident}};
}

Json measure_size() {
  const TempDir dir;
  const std::filesystem::path program = testing_support::program_path();
  const auto train = program.parent_path() / "onnxop-train";
  const std::uint64_t size = stripped_size(program, dir);
  return {{"binary_mb", megabytes(size)},
          {"runtime_mb", megabytes(size + library_bytes(program))},
          {"train_binary_mb", megabytes(stripped_size(train, dir))},
          {"train_runtime_mb", megabytes(stripped_size(train, dir) + library_bytes(train))}};
}

}  // namespace onnxop::bench
