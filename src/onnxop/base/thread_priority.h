#pragma once
// How much a thread of this process counts beside the others when all processors are busy.

namespace onnxop {

/// For the calling thread and those that it starts from now on; from 0, as others are, to 19, the
/// lowest. It cannot be taken back. Where the system refuses, nothing changes.
void lower_thread_priority(int nice);

}  // namespace onnxop
