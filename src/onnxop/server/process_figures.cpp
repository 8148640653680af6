#include "onnxop/server/process_figures.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace onnxop {
namespace {

double boot_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == "btime" && file >> value) {
      return value;
    }
  }
  return 0;
}

/// proc(5): the fields of /proc/self/stat behind the program's name, which may hold anything; the
/// first is the third of the file.
void read_stat(ProcessFigures& figures) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return;
  }
  std::istringstream fields(line.substr(name_end + 2));
  std::string field;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  for (int number = 3; fields >> field; ++number) {
    switch (number) {
      case 14:
      case 15:
        figures.cpu_seconds += std::stod(field) / ticks;
        break;
      case 20:
        figures.threads = std::stod(field);
        break;
      case 22:
        figures.start_seconds = boot_seconds() + std::stod(field) / ticks;
        break;
      case 23:
        figures.virtual_bytes = std::stod(field);
        break;
      case 24:
        figures.resident_bytes = std::stod(field) * page;
        break;
      default:
        break;
    }
  }
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  read_stat(figures);
  std::error_code error;
  for (std::filesystem::directory_iterator file("/proc/self/fd", error), end; !error && file != end;
       file.increment(error)) {
    ++figures.open_files;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.max_files = static_cast<double>(limit.rlim_cur);
  }
  return figures;
}

}  // namespace onnxop
