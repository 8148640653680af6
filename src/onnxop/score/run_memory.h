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
  /// The same for what is to stay, such as weights: it goes to the system as soon as it comes back.
  void* take_for_long(std::size_t bytes);
  /// What either of them gave, or null.
  void put_back(void* block) noexcept;

  /// Frees what is kept. Blocks over 256 KB go to the system, smaller ones to the C library.
  void give_back() noexcept;
  /// Frees the part of it that no run has needed since this was called last. Returns how many bytes
  /// of that the C library got.
  std::size_t give_back_unneeded() noexcept;

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
    std::size_t least_waiting = 0;  // since give_back_unneeded(): so many nobody has needed
    std::uint64_t used_at = 0;
  };

  Block* find(std::size_t size);
  void count_used(std::size_t size);
  Block* pop(Shelf& shelf);
  void drop_coldest(Shelf& shelf, std::size_t count, Block*& dropped);
  void drop_down_to(std::size_t kept, Block*& dropped);

  mutable std::mutex mutex_;
  std::map<std::size_t, Shelf> shelves_;  // by size; one for each that was ever taken
  Sizes sizes_;
  std::size_t most_used_ = 0;         // since give_back_unneeded()
  std::size_t most_used_before_ = 0;  // between its last two calls
  std::uint64_t uses_ = 0;
};

}  // namespace onnxop
