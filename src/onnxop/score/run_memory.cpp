#include "onnxop/score/run_memory.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include <sys/mman.h>

namespace onnxop {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kPage = 4096;
// The C library keeps smaller ones well itself, and each thread its own.
constexpr std::size_t kSmallestKept = 1U << 10;
// Of the heap, which would keep the place of larger ones when they are gone, and put what stays
// there.
constexpr std::size_t kLargestOfHeap = 256U << 10;
constexpr std::size_t kAlwaysKept = 32U << 20;
constexpr std::size_t kLargest = std::size_t{1} << 47;  // as much as a process has addresses

std::size_t up_to_multiple(std::size_t size, std::size_t of) {
  return (size + of - 1) / of * of;
}

/// Eight sizes to a doubling: tensors of nearly the same size, of other models or batches, can have
/// each other's blocks, and an eighth of one at most is wasted.
std::size_t shelf_size(std::size_t size) {
  return up_to_multiple(size, std::bit_floor(size) / 8);
}

}  // namespace

/// What lies before the bytes that are handed out.
struct alignas(kAlignment) RunMemory::Block {
  std::size_t size;  // with this
  void* place;       // where it begins for the C library; null: it is a mapping
  bool keep;
  Block* next = nullptr;  // that waits, or is to be freed

  /// With at least `size` bytes. Throws std::bad_alloc.
  static Block* make(std::size_t size, bool keep) {
    if (size > kLargest) {
      throw std::bad_alloc();
    }
    if (size > kLargestOfHeap) {
      size = up_to_multiple(size, kPage);
      void* const mapping =
          ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapping != MAP_FAILED) {  // else there may be too many already
        return new (mapping) Block{size, nullptr, keep};
      }
    }
    // aligned_alloc() is several times slower: it takes more, and gives the rest back at once.
    void* const place = std::malloc(size + kAlignment);
    if (place == nullptr) {
      throw std::bad_alloc();
    }
    const auto begin = up_to_multiple(reinterpret_cast<std::uintptr_t>(place), kAlignment);
    return new (reinterpret_cast<void*>(begin)) Block{size, place, keep};
  }

  static void free(Block* block) {
    if (block->place == nullptr) {
      // Out of the middle of another it would make two, of which there may be too many.
      if (::munmap(block, block->size) != 0) {
        ::madvise(block, block->size, MADV_DONTNEED);
      }
    } else {
      std::free(block->place);
    }
  }
  /// And all that follow it.
  static void free_all(Block* block) {
    while (block != nullptr) {
      free(std::exchange(block, block->next));
    }
  }

  void* bytes() { return this + 1; }
  static Block* of(void* bytes) { return static_cast<Block*>(bytes) - 1; }
};

RunMemory::~RunMemory() {
  for (auto& [size, shelf] : shelves_) {
    Block::free_all(shelf.latest);
  }
}

void* RunMemory::take(std::size_t bytes) {
  if (bytes < kSmallestKept || bytes > kLargest) {
    return take_for_long(bytes);
  }
  const std::size_t size = shelf_size(bytes + sizeof(Block));
  {
    const std::lock_guard lock(mutex_);
    if (Block* const found = find(size)) {
      count_used(found->size);
      return found->bytes();
    }
    shelves_.try_emplace(size);
  }
  Block* const made = Block::make(size, true);
  const std::lock_guard lock(mutex_);
  count_used(made->size);
  return made->bytes();
}

/// The lock is held.
void RunMemory::count_used(std::size_t size) {
  sizes_.used += size;
  most_used_ = std::max(most_used_, sizes_.used);
}

void* RunMemory::take_for_long(std::size_t bytes) {
  if (bytes == 0) {
    return nullptr;
  }
  return Block::make(std::min(bytes, kLargest) + sizeof(Block), false)->bytes();
}

/// The smallest that fits, unless it is twice as large or more; null: none waits. The lock is held.
RunMemory::Block* RunMemory::find(std::size_t size) {
  for (auto shelf = shelves_.lower_bound(size); shelf != shelves_.end() && shelf->first < 2 * size;
       ++shelf) {
    if (shelf->second.latest != nullptr) {
      return pop(shelf->second);
    }
  }
  return nullptr;
}

RunMemory::Block* RunMemory::pop(Shelf& shelf) {
  Block* const block = std::exchange(shelf.latest, shelf.latest->next);
  block->next = nullptr;
  --shelf.waiting;
  shelf.least_waiting = std::min(shelf.least_waiting, shelf.waiting);
  sizes_.kept -= block->size;
  return block;
}

void RunMemory::put_back(void* bytes) noexcept {
  if (bytes == nullptr) {
    return;
  }
  Block* const block = Block::of(bytes);
  if (!block->keep) {
    Block::free(block);
    return;
  }
  Block* dropped = nullptr;
  {
    const std::lock_guard lock(mutex_);
    sizes_.used -= block->size;
    sizes_.kept += block->size;
    Shelf& shelf = shelves_.find(block->size)->second;
    block->next = std::exchange(shelf.latest, block);
    ++shelf.waiting;
    shelf.back_at = ++came_back_;
    // A run has its large tensors and its small ones at different times, and will have both again.
    drop_down_to(std::max(2 * std::max(most_used_, most_used_before_), kAlwaysKept), dropped);
  }
  Block::free_all(dropped);
}

/// Those that have waited longest; the lock is held.
void RunMemory::drop_coldest(Shelf& shelf, std::size_t count, Block*& dropped) {
  if (count == 0) {
    return;
  }
  Block** link = &shelf.latest;
  for (std::size_t stay = shelf.waiting - count; stay > 0; --stay) {
    link = &(*link)->next;
  }
  Block* block = std::exchange(*link, nullptr);
  while (block != nullptr) {
    Block* const next = std::exchange(block->next, dropped);
    sizes_.kept -= block->size;
    dropped = std::exchange(block, next);
  }
  shelf.waiting -= count;
  shelf.least_waiting = std::min(shelf.least_waiting, shelf.waiting);
}

/// Off the shelves that have not been used for longest; the lock is held.
void RunMemory::drop_down_to(std::size_t kept, Block*& dropped) {
  while (sizes_.kept > kept) {
    auto oldest = shelves_.end();
    for (auto each = shelves_.begin(); each != shelves_.end(); ++each) {
      if (each->second.waiting > 0 &&
          (oldest == shelves_.end() || each->second.back_at < oldest->second.back_at)) {
        oldest = each;
      }
    }
    const std::size_t enough = (sizes_.kept - kept + oldest->first - 1) / oldest->first;
    drop_coldest(oldest->second, std::min(enough, oldest->second.waiting), dropped);
  }
}

RunMemory::Freed RunMemory::free_unneeded() noexcept {
  Block* dropped = nullptr;
  Freed freed;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [size, shelf] : shelves_) {
      (size > kLargestOfHeap ? freed.to_system : freed.to_heap) += size * shelf.least_waiting;
      drop_coldest(shelf, shelf.least_waiting, dropped);
      shelf.least_waiting = shelf.waiting;
    }
    most_used_before_ = std::exchange(most_used_, sizes_.used);
  }
  Block::free_all(dropped);
  return freed;
}

RunMemory::Sizes RunMemory::sizes() const {
  const std::lock_guard lock(mutex_);
  return sizes_;
}

}  // namespace onnxop
