#include "onnxop/serving/model_unloader.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

/// Tells on which thread it ends.
class Mortal : public Scorer {
 public:
  explicit Mortal(std::promise<std::thread::id>& end) : end_(end) {}
  ~Mortal() override { end_.set_value(std::this_thread::get_id()); }
  Mortal(const Mortal&) = delete;
  Mortal& operator=(const Mortal&) = delete;

  const std::vector<TensorInfo>& inputs() const override { return none_; }
  const std::vector<TensorInfo>& outputs() const override { return none_; }
  std::vector<NamedTensor> run(std::span<const NamedTensor>) override { return {}; }

 private:
  std::promise<std::thread::id>& end_;
  std::vector<TensorInfo> none_;
};

class Unloading : public testing::Test {
 protected:
  ModelLease model() {
    auto made = std::make_shared<ServedModel>();
    made->name = "m";
    made->scorer = std::make_shared<Mortal>(end_);
    return made;
  }

  std::promise<std::thread::id> end_;
  std::future<std::thread::id> ended_ = end_.get_future();
};

bool is_over(const std::future<std::thread::id>& ended) {
  return ended.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

TEST_F(Unloading, HappensOnAThreadOfItsOwnWhenTheLastLeaseHasEnded) {
  ModelUnloader unloader;
  ModelLease lease = unloader.watch(model());
  EXPECT_EQ(lease->name, "m");
  ModelLease other = lease;
  lease.reset();
  EXPECT_FALSE(is_over(ended_));
  other.reset();
  EXPECT_NE(ended_.get(), std::this_thread::get_id());
}

TEST_F(Unloading, IsDoneBeforeTheUnloaderEnds) {
  auto unloader = std::make_unique<ModelUnloader>();
  unloader->watch(model()).reset();
  unloader.reset();
  EXPECT_TRUE(is_over(ended_));
}

TEST_F(Unloading, HappensAtOnceWhereTheLeaseOutlivesTheUnloader) {
  auto unloader = std::make_unique<ModelUnloader>();
  ModelLease lease = unloader->watch(model());
  unloader.reset();
  EXPECT_FALSE(is_over(ended_));
  lease.reset();
  EXPECT_EQ(ended_.get(), std::this_thread::get_id());
}

class MemoryOfRuns : public testing::Test {
 protected:
  /// What runs had, and is kept now.
  void keep(int blocks, std::size_t size) {
    std::vector<void*> taken;
    for (int i = 0; i < blocks; ++i) {
      taken.push_back(memory_.take(size));
    }
    for (void* each : taken) {
      memory_.put_back(each);
    }
  }

  /// Looks all the time, until nothing is kept.
  void look() {
    ModelUnloader unloader(options(std::chrono::milliseconds(1)));
    while (memory_.sizes().kept > 0) {
      std::this_thread::yield();
    }
  }

  UnloaderOptions options(std::chrono::milliseconds period) {
    return {.memory = memory_, .trim = [this] { ++trimmed_; }, .period = period};
  }

  RunMemory memory_;
  std::atomic<int> trimmed_{0};
};

TEST_F(MemoryOfRuns, IsGivenBackWhenNoneComesAnyMore) {
  keep(3, 2U << 20);
  keep(3, 10U << 10);
  look();
  EXPECT_EQ(trimmed_, 1);
}

TEST_F(MemoryOfRuns, IsTrimmedWhileOthersRunForManySmallBlocksOnly) {
  void* const used = memory_.take(1U << 20);
  keep(3, 10U << 10);
  look();
  EXPECT_EQ(trimmed_, 0);
  keep(20, 100U << 10);
  look();
  EXPECT_EQ(trimmed_, 1);
  memory_.put_back(used);
}

TEST_F(MemoryOfRuns, IsGivenBackWhileModelsComeAndGo) {
  keep(3, 10U << 10);
  ModelUnloader unloader(options(std::chrono::milliseconds(1)));
  while (memory_.sizes().kept > 0) {
    unloader.give_memory_back();
  }
}

TEST_F(MemoryOfRuns, StaysWhenAModelIsLoadedOrUnloaded) {
  keep(1, 1U << 20);
  std::promise<void> trimmed;
  UnloaderOptions options = this->options(std::chrono::hours(1));
  options.trim = [&] { trimmed.set_value(); };
  ModelUnloader unloader(std::move(options));
  unloader.give_memory_back();
  trimmed.get_future().wait();
  EXPECT_GT(memory_.sizes().kept, 0U);
}

}  // namespace
}  // namespace onnxop
