// The store's models.

#include "onnxop/serving/model_provider.h"

namespace onnxop {
namespace {

class StoreProvider : public ModelProvider {
 public:
  StoreProvider(const StoreLocation& store, const Clock& clock, const QueueSettings& queue)
      : registry_(store, clock, /*must_exist=*/true), queue_(queue) {}

  std::vector<ModelOffer> offers() override {
    std::vector<ModelOffer> offers;
    for (const RegisteredModel& model : registry_.models().list()) {
      ModelOffer offer;
      offer.name = model.name;
      offer.aliases = model.aliases;
      offer.queue = queue_;
      for (const ModelVersion& version : registry_.models().versions(model.name)) {
        offer.versions.insert(offer.versions.begin(), {version.version, version.sha256, true});
      }
      offers.push_back(std::move(offer));
    }
    return offers;
  }

  ModelSource source(const std::string& name, std::int64_t version) override {
    return source_of(registry_, registry_.models().version(name, version));
  }

  std::vector<std::filesystem::path> watched() override { return {registry_.dir()}; }
  bool checked() const override { return true; }

 private:
  Registry registry_;
  QueueSettings queue_;
};

}  // namespace

std::unique_ptr<ModelProvider> store_provider(const StoreLocation& store, const Clock& clock,
                                              const QueueSettings& queue) {
  return std::make_unique<StoreProvider>(store, clock, queue);
}

}  // namespace onnxop
