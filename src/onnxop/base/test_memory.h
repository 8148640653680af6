#pragma once
// For tests and benchmarks: how much memory a process holds.

#include <cstdint>
#include <fstream>
#include <string>

#include <sys/types.h>
#include <unistd.h>

namespace onnxop {

/// Resident, in bytes; 0: there is no such process. proc(5)'s statm.
inline std::int64_t resident_memory(pid_t pid = ::getpid()) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  file >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace onnxop
