#include "onnxop/base/storage_error.h"

#include <cerrno>
#include <optional>

namespace onnxop {
namespace {

std::optional<StorageFault> fault_of(const std::error_code& reason) {
  switch (reason.value()) {
    case ENOSPC:
    case EDQUOT:
      return StorageFault::kFull;
    case EROFS:
    case EACCES:
    case EPERM:
      return StorageFault::kNotWritable;
    default:
      return std::nullopt;
  }
}

}  // namespace

void fail_to_write(const std::error_code& reason, const std::string& what) {
  const std::string message = format("{}: {}", what, reason.message());
  if (const auto fault = fault_of(reason)) {
    throw StorageError(*fault, message);
  }
  throw Error(ErrorCode::kIo, message);
}

}  // namespace onnxop
