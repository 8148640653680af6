#pragma once
// What an I/O thread knows of the requests of its connections; used on that thread only.

#include <chrono>

namespace onnxop {

struct IoActivity {
  std::chrono::steady_clock::time_point last_request;  // when its first byte was seen
  int in_flight = 0;  // requests that ask a model and are not answered yet
};

}  // namespace onnxop
