#include "onnxop/serving/model_unloader.h"

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

}  // namespace
}  // namespace onnxop
