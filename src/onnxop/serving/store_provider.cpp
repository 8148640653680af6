// The store's models.

#include <algorithm>
#include <type_traits>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/serving/model_provider.h"

namespace onnxop {
namespace {

constexpr std::chrono::milliseconds kPollTime(250);
// Where the system tells of changes in the folder: of some file systems it does not.
constexpr std::chrono::milliseconds kPollTimeBesides(1000);

// Another model under an old name may have the same file, and other files beside it.
OfferedVersion offer_of(const ModelVersion& version) {
  return {version.version, format("{} {}", version.sha256, version.created_ms)};
}

// What an alias points to is offered although it cannot be served, so that the alias stays where it
// was and says why.
OfferedVersion refusal_of(const ModelVersion& version) {
  OfferedVersion refused = offer_of(version);
  refused.broken =
      format("version {} has no model.onnx: it was registered from {}", version.version,
             version.source.empty() ? std::string("elsewhere") : version.source);
  return refused;
}

class StoreProvider : public ModelProvider {
 public:
  StoreProvider(StoreLocation store, const Clock& clock, const QueueSettings& queue)
      : store_(std::move(store)), clock_(clock), queue_(queue) {
    open();
  }

  bool changed() override {
    return in_store([&](const Registry& registry) {
      return !offered_change_ || *offered_change_ != registry.models().last_change();
    });
  }

  std::vector<ModelOffer> offers() override {
    return in_store([&](const Registry& registry) {
      // First the change, then the models: what happens in between is looked up once more.
      const std::int64_t change = registry.models().last_change();
      if (offered_change_ != change) {
        offers_ = look_up(registry);
        offered_change_ = change;
      }
      return offers_;
    });
  }

  ModelSource source(const std::string& name, std::int64_t version) override {
    return in_store([&](const Registry& registry) {
      return source_of(registry, registry.models().version(name, version));
    });
  }

  std::vector<std::filesystem::path> watched() override {
    return store_.is_postgresql() ? std::vector<std::filesystem::path>()
                                  : std::vector<std::filesystem::path>{store_.folder};
  }

  std::optional<std::chrono::milliseconds> poll_time() const override {
    return store_.is_postgresql() ? kPollTime : kPollTimeBesides;
  }

  bool checked() const override { return true; }

 private:
  void open() { registry_ = std::make_unique<Registry>(store_, clock_, /*must_exist=*/true); }

  // A connection that was lost stays so: it is made anew by the next call.
  template <typename Body>
  std::invoke_result_t<Body, const Registry&> in_store(Body&& body) {
    if (!registry_) {
      open();
    }
    try {
      return body(std::as_const(*registry_));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) {
        registry_.reset();
      }
      throw;
    }
  }

  std::vector<ModelOffer> look_up(const Registry& registry) const {
    std::map<std::string, ModelOffer> offers;
    for (const ModelVersion& version : registry.models().all_versions()) {  // newest first
      ModelOffer& offer = offers[version.name];
      if (!version.sha256.empty()) {
        offer.versions.insert(offer.versions.begin(), offer_of(version));
      } else if (!version.aliases.empty()) {
        offer.versions.insert(offer.versions.begin(), refusal_of(version));
      }
      for (const std::string& alias : version.aliases) {
        offer.aliases[alias] = version.version;
      }
    }
    std::vector<ModelOffer> result;
    for (auto& [name, offer] : offers) {
      if (std::any_of(offer.versions.begin(), offer.versions.end(),
                      [](const OfferedVersion& version) { return version.broken.empty(); })) {
        offer.name = name;
        offer.queue = queue_;
        result.push_back(std::move(offer));
      }
    }
    return result;
  }

  StoreLocation store_;
  const Clock& clock_;
  QueueSettings queue_;
  std::unique_ptr<Registry> registry_;  // null after an error
  std::optional<std::int64_t> offered_change_;
  std::vector<ModelOffer> offers_;  // as of that change
};

}  // namespace

std::unique_ptr<ModelProvider> store_provider(const StoreLocation& store, const Clock& clock,
                                              const QueueSettings& queue) {
  return std::make_unique<StoreProvider>(store, clock, queue);
}

}  // namespace onnxop
