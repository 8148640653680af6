#pragma once
// Runs a piece of work in a child process, because libonnx's checker and shape inference trust a
// model more than a file deserves: some broken ones make it read through null pointers or divide by
// zero. Private to this room.

#include <functional>
#include <optional>
#include <string>

namespace onnxop {

struct IsolatedResult {
  std::optional<std::string> text;  // what the work gave; none when it ended early
  std::string ending;               // then: "signal 11 (Segmentation fault)"
};

/// Forks, calls `work` in the child and waits for the text that it returns. The child has this
/// thread only and a copy of all memory: `work` must neither start threads, nor sleep, nor throw. A
/// lock that another thread held at the fork is never given back there: a child that sleeps for
/// good is ended and another made, so `work` may be begun several times. It gets 20 s of processor
/// time and 512 MiB more memory at most. Safe from any thread. Throws Error{kInternal} when there
/// can be no child, {kUnavailable} when ten of them slept.
IsolatedResult run_isolated(const std::function<std::string()>& work);

}  // namespace onnxop
