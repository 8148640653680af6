#include "onnxop/registry/registry_pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

class RegistryPoolTest : public StoreTest {};

TEST_F(RegistryPoolTest, WhoAsksGetsOneForHimself) {
  RegistryPool pool{StoreLocation(store_dir()), clock_};
  const auto first = pool.take();
  const auto second = pool.take();
  EXPECT_NE(first.get(), second.get());
  const std::string run = first->runs().create({.name = "a"});
  EXPECT_EQ(second->runs().get(run).name, "a");
}

TEST_F(RegistryPoolTest, WhatIsGivenBackIsUsedAgain) {
  RegistryPool pool{StoreLocation(store_dir()), clock_};
  const Registry* const first = pool.take().get();
  EXPECT_EQ(pool.take().get(), first);
}

TEST_F(RegistryPoolTest, WhatIsWrongWithTheStoreShowsAtOnce) {
  EXPECT_EQ(catch_error([&] { RegistryPool(StoreLocation(store_dir()), clock_, true); }).code,
            ErrorCode::kNotFound);
}

TEST_F(RegistryPoolTest, ThreadsUseItTogether) {
  RegistryPool pool{StoreLocation(store_dir()), clock_};
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        made += pool.take()->runs().create({}).empty() ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(made, 20);
  EXPECT_EQ(pool.take()->runs().list().size(), 20U);
}

}  // namespace
}  // namespace onnxop
