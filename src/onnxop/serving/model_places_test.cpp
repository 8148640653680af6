// Places that models come from, and that cannot be read at times.

#include "onnxop/serving/test_model_manager.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

/// A place that counts how often it is read, and can be unreachable.
class CountingProvider : public ModelProvider {
 public:
  explicit CountingProvider(std::unique_ptr<ModelProvider> inner) : inner_(std::move(inner)) {}
  std::vector<ModelOffer> offers() override {
    ++reads;
    changed_ = false;
    if (down) {
      fail(ErrorCode::kUnavailable, "no connection");
    }
    return inner_->offers();
  }
  bool changed() override {
    if (down) {
      fail(ErrorCode::kUnavailable, "no connection");
    }
    return changed_;
  }
  ModelSource source(const std::string& name, std::int64_t version) override {
    return inner_->source(name, version);
  }
  std::vector<fs::path> watched() override { return inner_->watched(); }
  bool checked() const override { return false; }
  void change() { changed_ = true; }

  int reads = 0;
  bool down = false;

 private:
  std::unique_ptr<ModelProvider> inner_;
  bool changed_ = true;
};

TEST_F(ModelManagerTest, APlaceIsReadWhenItHasChanged) {
  put("a", 1);
  auto counting = std::make_unique<CountingProvider>(folder());
  CountingProvider& place = *counting;
  auto models = manager(std::move(counting));
  ASSERT_EQ(models.places(), 1U);
  EXPECT_FALSE(models.refresh(0));
  EXPECT_EQ(served("a"), 1);
  EXPECT_EQ(place.reads, 1);
  const auto set = catalog_.snapshot();
  for (int i = 0; i < 3; ++i) {
    models.refresh(0);
  }
  EXPECT_EQ(place.reads, 1);
  EXPECT_EQ(catalog_.snapshot(), set) << "what is served is not even published again";
  put("a", 2);
  place.change();
  models.refresh(0);
  EXPECT_EQ(place.reads, 2);
  EXPECT_EQ(served("a"), 2);
}

TEST_F(ModelManagerTest, APlaceThatCannotBeReadLeavesWhatItHadServing) {
  put("a", 1);
  auto counting = std::make_unique<CountingProvider>(folder());
  CountingProvider& place = *counting;
  auto models = manager(std::move(counting));
  models.refresh(0);
  put("a", 2);
  place.change();
  place.down = true;
  models.refresh(0);
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  place.down = false;
  place.change();
  models.refresh(0);
  EXPECT_EQ(served("a"), 2);
}

TEST_F(ModelManagerTest, TwoPlacesAreReadApart) {
  put("a", 1);
  Registry registry(folder_ / "store", clock_);
  write_file_atomically(folder_ / "m.onnx", serialize_model(fake_model("of the store")));
  for (const char* name : {"a", "b"}) {
    registry.models().publish({.name = name, .model_file = folder_ / "m.onnx"});
  }
  registry.models().publish({.name = "a", .model_file = folder_ / "m.onnx"});
  auto counting = std::make_unique<CountingProvider>(folder());
  CountingProvider& place = *counting;
  std::vector<std::unique_ptr<ModelProvider>> providers;
  providers.push_back(std::move(counting));
  providers.push_back(store_provider(folder_ / "store", clock_, {.max_batch = 1}));
  auto models = manager(std::move(providers));
  models.refresh();
  EXPECT_EQ(served("a"), 1) << "the first place's";
  EXPECT_EQ(served("b"), 1);
  registry.models().publish({.name = "b", .model_file = folder_ / "m.onnx"});
  models.refresh(1);
  EXPECT_EQ(served("b"), 2);
  EXPECT_EQ(place.reads, 1);
  fs::remove_all(folder_ / "models" / "a");
  place.change();
  models.refresh(0);
  EXPECT_EQ(served("a"), 2) << "the second place's comes forth";
}

TEST_F(ModelManagerTest, AProviderThatCannotBeReadKeepsWhatItHad) {
  put("a", 1);
  auto models = manager(folder());
  models.refresh();
  fs::rename(folder_ / "models", folder_ / "gone");
  models.refresh();
  EXPECT_EQ(served("a"), 1);
  EXPECT_THROW(folder(), Error);
}

}  // namespace
}  // namespace onnxop
