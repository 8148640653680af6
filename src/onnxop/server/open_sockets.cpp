#include "onnxop/server/open_sockets.h"

#include <sys/stat.h>

namespace onnxop {

void OpenSockets::add(int descriptor) {
  struct stat now {};
  if (::fstat(descriptor, &now) == 0) {
    const std::lock_guard lock(mutex_);
    known_.push_back({descriptor, now.st_dev, now.st_ino});
  }
}

bool OpenSockets::full(std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (known_.size() < most) {
    return false;
  }
  forget_closed();
  return known_.size() >= most;
}

std::size_t OpenSockets::count() {
  const std::lock_guard lock(mutex_);
  forget_closed();
  return known_.size();
}

void OpenSockets::forget_closed() {
  std::erase_if(known_, [](const Known& known) {
    struct stat now {};
    return ::fstat(known.descriptor, &now) != 0 || now.st_dev != known.device ||
           now.st_ino != known.inode;
  });
}

}  // namespace onnxop
