#pragma once
// Which of the sockets that were given away are open still. Their new owner closes them without a
// word, and their numbers go to other files: a socket is known by its inode, which no other has
// while it is open. Safe from any thread.

#include <cstddef>
#include <mutex>
#include <vector>

#include <sys/types.h>

namespace onnxop {

class OpenSockets {
 public:
  void add(int descriptor);

  /// True when `most` of them are open. Looks at each of them only when it has been given so many:
  /// then for a fraction of a microsecond each.
  bool full(std::size_t most);

  /// How many of them are open now; looks at each.
  std::size_t count();

 private:
  struct Known {
    int descriptor;
    dev_t device;
    ino_t inode;
  };

  void forget_closed();

  std::mutex mutex_;
  std::vector<Known> known_;
};

}  // namespace onnxop
