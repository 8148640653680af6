#pragma once
// What the system says of this process.

namespace onnxop {

struct ProcessFigures {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_files = 0;
  double max_files = 0;
  double threads = 0;
  double start_seconds = 0;  // since 1970
};

/// From /proc/self; 0 for what cannot be read. Safe from any thread.
ProcessFigures process_figures();

}  // namespace onnxop
