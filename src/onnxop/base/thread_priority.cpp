#include "onnxop/base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace onnxop {

void lower_thread_priority(int nice) {
  // On Linux a thread has a priority of its own, under its number.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice));
}

}  // namespace onnxop
