#include "onnxop/registry/registry_pool.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

class RegistryPoolTest : public EachStoreTest {};
ONNXOP_ON_EACH_STORE(RegistryPoolTest);

TEST_P(RegistryPoolTest, WhatIsGivenBackIsTakenAgain) {
  RegistryPool pool(location(), clock_, false);
  const Registry* first = nullptr;
  {
    const auto lease = pool.take("ada");
    first = &*lease;
    const auto other = pool.take("bob");
    EXPECT_NE(&*other, first);
  }
  EXPECT_EQ(&*pool.take("ada"), first);
}

TEST_P(RegistryPoolTest, ALeaseActsAsItsTaker) {
  RegistryPool pool(location(), clock_, false);
  pool.take("ada")->models().create("a");
  pool.take("bob")->models().create("b");
  EXPECT_EQ(pool.take("")->models().history("a").at(0).actor, "ada");
  EXPECT_EQ(pool.take("")->models().history("b").at(0).actor, "bob");
}

TEST_P(RegistryPoolTest, NoMoreThanTheMostAreOut) {
  RegistryPool pool(location(), clock_, false,
                    {.most = 2, .patience = std::chrono::milliseconds(0)});
  std::optional<RegistryPool::Lease> first(pool.take(""));
  const auto second = pool.take("");
  const auto caught = catch_error([&] { pool.take(""); });
  EXPECT_EQ(caught.code, ErrorCode::kUnavailable);
  EXPECT_THAT(caught.message, HasSubstr("all 2 connections"));
  first.reset();
  pool.take("");
}

TEST_P(RegistryPoolTest, ManyThreadsWriteThroughFew) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 10;
  RegistryPool pool(location(), clock_, false, {.most = 3});
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        try {
          const auto lease = pool.take("");
          const auto run = lease->runs().create({.name = "r", .owned = false});
          lease->runs().log_metrics(run, {{"loss", 0.5, 1, 1}});
        } catch (const Error& error) {
          ADD_FAILURE() << error.what();
          ++failed;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(pool.take("")->runs().list().size(), static_cast<std::size_t>(kThreads * kRounds));
}

TEST(RegistryPoolOfNoStoreTest, ItIsSaidAtOnce) {
  FakeClock clock;
  EXPECT_EQ(catch_error([&] { RegistryPool(StoreLocation("/nowhere/at/all"), clock, true); }).code,
            ErrorCode::kNotFound);
}

class LostServerTest : public StoreTest {};

TEST_F(LostServerTest, ItsRegistriesAreDroppedAndMadeAnew) {
  TestPostgresql server;
  RegistryPool pool({server.new_url(), store_dir()}, clock_, false);
  const auto make = [&] { return pool.take("")->runs().create({.name = "r", .owned = false}); };
  make();
  server.stop();
  EXPECT_EQ(catch_error(make).code, ErrorCode::kUnavailable);
  EXPECT_EQ(catch_error(make).code, ErrorCode::kUnavailable);
  server.restart();
  make();
  EXPECT_EQ(pool.take("")->runs().list().size(), 2u);
}

}  // namespace
}  // namespace onnxop
