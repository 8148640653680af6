#include <sstream>

#include "bench/bench.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::bench {
namespace {

using testing_support::TempDir;

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
