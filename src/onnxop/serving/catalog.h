#pragma once
// What is served now: an immutable set of loaded models, replaced as a whole. A reader takes the
// current set and keeps what it found; a model goes when the last lease on it goes.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onnxop/serving/served_model.h"

namespace onnxop {

class ModelTraffic;

/// A model's traffic, and what its targets are in one set.
struct RoutedTraffic {
  std::shared_ptr<ModelTraffic> traffic;
  std::vector<ModelLease> targets;  // of the split; null where not loaded
  std::uint32_t loaded = 0;         // bit i: the target at i is
  ModelLease shadow;                // null: there is none, or it is not loaded
};

/// Immutable once published; read from any thread.
class ServingSet {
 public:
  struct Answering {
    ModelLease model;  // null: nothing but its traffic is known
    std::shared_ptr<const RoutedTraffic> traffic = nullptr;  // null: `model` answers all
  };

  /// Makes `model` the answer to `reference` ("name", "name@alias", "name:3"), replacing an older
  /// one.
  void add(std::string reference, const ModelLease& model);

  /// Gives the model `name` alone to a split or a shadow; what that refers to was added before.
  void set_traffic(const std::string& name, std::shared_ptr<ModelTraffic> traffic);

  /// Null when nothing answers to it.
  ModelLease find(std::string_view reference) const;
  const Answering* answering(std::string_view reference) const;

  /// Each model once, by name and version.
  const std::vector<ModelLease>& models() const { return models_; }
  /// One a model that has some.
  const std::vector<std::shared_ptr<const RoutedTraffic>>& traffic() const { return traffic_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  void list(const ModelLease& model);

  std::unordered_map<std::string, Answering, Hash, std::equal_to<>> by_reference_;
  std::vector<ModelLease> models_;
  std::vector<std::shared_ptr<const RoutedTraffic>> traffic_;
};

/// Safe from any thread.
class Catalog {
 public:
  Catalog() : current_(std::make_shared<ServingSet>()) {}

  std::shared_ptr<const ServingSet> snapshot() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  void publish(std::shared_ptr<const ServingSet> set) {
    const std::lock_guard lock(mutex_);
    current_.swap(set);  // the old set goes after the lock
  }

 private:
  // Held for the copy of a pointer; the library's atomic<shared_ptr> is a lock too, and one that
  // ThreadSanitizer does not see.
  mutable std::mutex mutex_;
  std::shared_ptr<const ServingSet> current_;
};

}  // namespace onnxop
