#include "onnxop/score/run_memory.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

constexpr std::size_t kKilobyte = 1U << 10;
constexpr std::size_t kMegabyte = 1U << 20;

TEST(RunMemoryTest, BlocksOfAllSizesAreAlignedAndWhole) {
  RunMemory memory;
  std::vector<void*> blocks;
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size < 8 * kMegabyte; size = size * 3 / 2 + 1) {
    for (const bool for_long : {false, true}) {
      void* const block = for_long ? memory.take_for_long(size) : memory.take(size);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0U) << size;
      std::memset(block, static_cast<int>(blocks.size()), size);
      blocks.push_back(block);
      sizes.push_back(size);
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[i]);
    EXPECT_EQ(bytes[0], i % 256);
    EXPECT_EQ(bytes[sizes[i] - 1], i % 256);
    memory.put_back(blocks[i]);
  }
  EXPECT_EQ(memory.sizes().used, 0U);
}

TEST(RunMemoryTest, ABlockThatCameBackIsTakenAgain) {
  RunMemory memory;
  void* const first = memory.take(kMegabyte);
  void* const second = memory.take(kMegabyte);
  EXPECT_GE(memory.sizes().used, 2 * kMegabyte);
  EXPECT_EQ(memory.sizes().kept, 0U);
  memory.put_back(first);
  memory.put_back(second);
  EXPECT_EQ(memory.sizes().used, 0U);
  EXPECT_GE(memory.sizes().kept, 2 * kMegabyte);
  EXPECT_EQ(memory.take(kMegabyte), second) << "the latest is in the cache";
  EXPECT_EQ(memory.take(kMegabyte - 100), first);
  EXPECT_EQ(memory.sizes().kept, 0U);
  memory.put_back(first);
  memory.put_back(second);
}

TEST(RunMemoryTest, ALargerBlockServesUnlessItIsTwiceAsLarge) {
  RunMemory memory;
  void* const block = memory.take(kMegabyte);
  memory.put_back(block);
  void* const small = memory.take(400 * kKilobyte);
  EXPECT_NE(small, block);
  void* const half = memory.take(600 * kKilobyte);
  EXPECT_EQ(half, block);
  memory.put_back(small);
  memory.put_back(half);
}

TEST(RunMemoryTest, WhatIsTakenForLongOrSmallIsNotKept) {
  RunMemory memory;
  memory.put_back(memory.take_for_long(kMegabyte));
  memory.put_back(memory.take(kKilobyte - 1));
  EXPECT_EQ(memory.sizes().kept, 0U);
}

TEST(RunMemoryTest, NothingIsNoBlock) {
  RunMemory memory;
  EXPECT_EQ(memory.take(0), nullptr);
  EXPECT_EQ(memory.take_for_long(0), nullptr);
  memory.put_back(nullptr);
}

TEST(RunMemoryTest, NoMoreIsKeptThanTwiceWhatRunsHadAtOnce) {
  RunMemory memory;
  constexpr std::size_t kSizes = 12;
  for (std::size_t i = 1; i <= kSizes; ++i) {  // 20, 40, …, 240 MB, one at a time
    memory.put_back(memory.take(i * 20 * kMegabyte));
  }
  const std::size_t kept = memory.sizes().kept;
  EXPECT_LE(kept, 2 * kSizes * 20 * kMegabyte * 9 / 8);
  EXPECT_GE(kept, kSizes * 20 * kMegabyte) << "the largest, which was there last";
  void* const latest = memory.take(kSizes * 20 * kMegabyte);
  EXPECT_LT(memory.sizes().kept, kept) << "it waited";
  memory.put_back(latest);
}

TEST(RunMemoryTest, AllIsFreedWithoutRunsAndCanBeTakenAgain) {
  RunMemory memory;
  void* const used = memory.take(kMegabyte);
  memory.put_back(memory.take(2 * kMegabyte));
  memory.put_back(memory.take(100 * kKilobyte));
  memory.free_unneeded();
  EXPECT_GE(memory.sizes().kept, 2 * kMegabyte) << "it came back since the last call";
  const RunMemory::Freed freed = memory.free_unneeded();
  EXPECT_GE(freed.to_system, 2 * kMegabyte);
  EXPECT_GE(freed.to_heap, 100 * kKilobyte);
  EXPECT_LT(freed.to_heap, 200 * kKilobyte);
  EXPECT_EQ(memory.sizes().kept, 0U);
  memory.put_back(used);
  EXPECT_EQ(memory.take(kMegabyte), used);
  memory.put_back(used);
}

TEST(RunMemoryTest, WhatNoRunHasNeededIsFreed) {
  RunMemory memory;
  std::vector<void*> burst;
  for (int i = 0; i < 4; ++i) {
    burst.push_back(memory.take(kMegabyte));
  }
  burst.push_back(memory.take(10 * kMegabyte));
  for (void* each : burst) {
    memory.put_back(each);
  }
  memory.free_unneeded();
  EXPECT_GE(memory.sizes().kept, 14 * kMegabyte) << "it came back just now";
  void* const needed = memory.take(kMegabyte);
  memory.put_back(needed);
  memory.put_back(memory.take(kMegabyte));
  memory.free_unneeded();
  EXPECT_GE(memory.sizes().kept, kMegabyte) << "one at a time was needed";
  EXPECT_LT(memory.sizes().kept, 2 * kMegabyte);
  EXPECT_EQ(memory.take(kMegabyte), needed) << "and those went that had waited longest";
  memory.put_back(needed);
  memory.free_unneeded();
  memory.free_unneeded();
  EXPECT_EQ(memory.sizes().kept, 0U);
}

TEST(RunMemoryTest, WhatIsNeededNowAndThenStaysBesideSmallRuns) {
  RunMemory memory;
  for (int look = 0; look < 5; ++look) {
    void* const first = memory.take(40 * kMegabyte);
    void* const second = memory.take(40 * kMegabyte);
    EXPECT_LT(memory.sizes().kept, 2 * kMegabyte) << "neither is new";
    memory.put_back(first);
    memory.put_back(second);
    memory.free_unneeded();
    memory.put_back(memory.take(kMegabyte));
    EXPECT_GE(memory.sizes().kept, 81 * kMegabyte);
  }
}

TEST(RunMemoryTest, WhatCannotBeHadThrowsAndChangesNothing) {
  RunMemory memory;
  EXPECT_THROW(memory.take(std::size_t{1} << 60), std::bad_alloc);
  EXPECT_THROW(memory.take(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW(memory.take(std::size_t{1} << 47), std::bad_alloc)
      << "less than the most, rounded more";
  EXPECT_THROW(memory.take_for_long(SIZE_MAX), std::bad_alloc);
  EXPECT_EQ(memory.sizes().used, 0U);
}

TEST(RunMemoryTest, ThreadsDoNotGetEachOthersBlocks) {
  RunMemory memory;
  std::vector<std::thread> threads;
  for (unsigned char mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&memory, mark] {
      for (std::size_t i = 0; i < 500; ++i) {
        const std::size_t size = (40 + i % 7 * 30) * kKilobyte;
        auto* const bytes = static_cast<unsigned char*>(memory.take(size));
        bytes[0] = bytes[size - 1] = mark;
        if (i % 100 == 50) {
          memory.free_unneeded();
        }
        EXPECT_EQ(bytes[0], mark);
        EXPECT_EQ(bytes[size - 1], mark);
        memory.put_back(bytes);
      }
    });
  }
  for (std::thread& each : threads) {
    each.join();
  }
  EXPECT_EQ(memory.sizes().used, 0U);
}

}  // namespace
}  // namespace onnxop
