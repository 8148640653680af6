#pragma once

#include <cstdint>

namespace onnxop::bench {

/// A port of 127.0.0.1 that nobody listens on, for a program that cannot choose one itself. Throws
/// Error{kIo} when there is none.
std::uint16_t free_port();

}  // namespace onnxop::bench
