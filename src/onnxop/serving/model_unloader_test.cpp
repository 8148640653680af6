#include "onnxop/serving/model_unloader.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

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

/// An unloader that looks all the time, and the runs that it is told of at each look.
class QuietTimes : public testing::Test {
 protected:
  using Runs = std::function<EngineRuns(int look)>;

  static EngineRuns ended(int runs) {
    const auto count = static_cast<std::uint64_t>(runs);
    return {count, count};
  }

  /// How often all was given back until the unloader had looked so often.
  int given_back(int looks, const Runs& runs) {
    std::promise<void> end;
    std::atomic<int> look{0};
    std::atomic<int> times{0};
    ModelUnloader unloader({.runs =
                                [&] {
                                  if (look == looks) {
                                    end.set_value();
                                  }
                                  return runs(look++);
                                },
                            .trim = [] {},
                            .give_back = [&] { ++times; },
                            .give_back_unneeded = [&] { ++unneeded_; },
                            .quiet = std::chrono::milliseconds(1)});
    end.get_future().wait();
    return times;
  }

  std::atomic<int> unneeded_{0};  // how often that was given back
};

TEST_F(QuietTimes, GiveBackOnceWhatRunsTook) {
  EXPECT_EQ(given_back(10, [](int look) { return ended(look == 0 ? 3 : 4); }), 1);
}

TEST_F(QuietTimes, AreOverWithARun) {
  EXPECT_EQ(given_back(10, [](int look) { return ended(look); }), 0);
  EXPECT_GE(unneeded_, 8) << "at each look, the first and the last apart";
}

TEST_F(QuietTimes, DoNotBeginBeforeARunHasEnded) {
  EXPECT_EQ(given_back(10, [](int) { return EngineRuns{4, 3}; }), 0);
  EXPECT_EQ(given_back(10, [](int look) { return EngineRuns{4, look < 5 ? 3U : 4U}; }), 1);
}

TEST_F(QuietTimes, GiveBackAgainAfterFurtherRuns) {
  EXPECT_EQ(given_back(12, [](int look) { return ended(std::min(look / 4, 2)); }), 2);
}

TEST_F(QuietTimes, HaveNothingToGiveBackWithoutRuns) {
  EXPECT_EQ(given_back(10, [](int) { return ended(5); }), 0);
}

TEST_F(Unloading, GivesTheHeapsFreeMemoryBackWhenAsked) {
  std::promise<void> trimmed;
  std::atomic<int> given_back{0};
  ModelUnloader unloader({.runs = [] { return EngineRuns(); },
                          .trim = [&] { trimmed.set_value(); },
                          .give_back = [&] { ++given_back; },
                          .give_back_unneeded = [] {},
                          .quiet = std::chrono::hours(1)});
  unloader.give_memory_back();
  trimmed.get_future().wait();
  EXPECT_EQ(given_back, 0) << "runs go on";
}

}  // namespace
}  // namespace onnxop
