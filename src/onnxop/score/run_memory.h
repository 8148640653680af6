#pragma once
// Memory for what a run takes besides weights. A block that comes back stays for the next run that
// can use it, of any model: what an engine holds for runs grows with the runs at once, not with the
// models.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace onnxop {

/// Any thread.
class RunMemory {
 public:
  RunMemory() = default;
  /// Blocks that were taken are back by then.
  ~RunMemory();
  RunMemory(const RunMemory&) = delete;
  RunMemory& operator=(const RunMemory&) = delete;

  /// Aligned to 64 bytes, with any content; null for 0 bytes. Throws std::bad_alloc.
  void* take(std::size_t bytes);
  /// The same for what is to stay, such as weights: it is not kept when it comes back.
  void* take_for_long(std::size_t bytes);
  /// What either of them gave, or null.
  void put_back(void* block) noexcept;

  struct Freed {
    std::size_t to_system = 0;  // bytes of blocks over 256 KB
    std::size_t to_heap = 0;    // of smaller ones: the C library keeps them, until malloc_trim()
  };
  /// Frees what is kept and no run has needed since this was called last: all of it where none was
  /// run between two calls.
  Freed free_unneeded() noexcept;

  struct Sizes {
    std::size_t used = 0;  // bytes that runs have now, of the blocks that are kept afterwards
    std::size_t kept = 0;  // bytes that wait for a run
  };
  Sizes sizes() const;

 private:
  struct Block;
  /// Blocks of one size that wait; the latest is taken first: it may be in a cache still.
  struct Shelf {
    Block* latest = nullptr;
    std::size_t waiting = 0;
    std::size_t least_waiting = 0;  // since free_unneeded(): so many nobody has needed
    std::uint64_t back_at = 0;      // when one came back last
  };

  Block* find(std::size_t size);
  void count_used(std::size_t size);
  Block* pop(Shelf& shelf);
  void drop_coldest(Shelf& shelf, std::size_t count, Block*& dropped);
  void drop_down_to(std::size_t kept, Block*& dropped);

  mutable std::mutex mutex_;
  std::map<std::size_t, Shelf> shelves_;  // by size; one for each that was ever taken
  Sizes sizes_;
  std::size_t most_used_ = 0;         // since free_unneeded()
  std::size_t most_used_before_ = 0;  // between its last two calls
  std::uint64_t came_back_ = 0;
};

}  // namespace onnxop
