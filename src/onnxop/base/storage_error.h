#pragma once
// What cannot be stored for want of room or of leave to write. Its code is kIo; why, it says apart
// from its message, which names paths of this machine: why is for everyone to know.

#include <string>
#include <system_error>

#include "onnxop/base/error.h"

namespace onnxop {

enum class StorageFault {
  kFull,         // no room on the disk, or within a quota
  kNotWritable,  // read-only, or another's
};

class StorageError : public Error {
 public:
  StorageError(StorageFault fault, const std::string& message)
      : Error(ErrorCode::kIo, message), fault_(fault) {}
  StorageFault fault() const { return fault_; }

 private:
  StorageFault fault_;
};

/// Throws StorageError{"what: reason"} where the system gave such a reason not to write, and
/// Error{kIo} with the same message where it gave another.
[[noreturn]] void fail_to_write(const std::error_code& reason, const std::string& what);

}  // namespace onnxop
