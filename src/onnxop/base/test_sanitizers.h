#pragma once
// For tests: whether the program is built with a sanitizer. A test that measures memory has nothing
// to say there, and one that takes minutes says nearly the same with fewer rounds.

namespace onnxop {

#ifdef ONNXOP_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace onnxop
