#pragma once
// Registry objects for several threads: each takes one for a piece of work and gives it back. They
// are made when they are needed, and kept.
//
// Safe to use from any thread; outlives its leases.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "onnxop/registry/registry.h"

namespace onnxop {

struct RegistryPoolOptions {
  std::size_t most = 16;  // registries at a time, each a connection to the database; at least 1
  /// How long take() waits for one to be given back.
  std::chrono::milliseconds patience = std::chrono::seconds(30);
};

class RegistryPool {
 public:
  /// A registry for one thread; it goes back with this object, and is dropped when its database
  /// went away meanwhile.
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Registry& operator*() const { return *registry_; }
    Registry* operator->() const { return registry_.get(); }

   private:
    friend class RegistryPool;
    Lease(RegistryPool& pool, std::unique_ptr<Registry> registry);

    RegistryPool* pool_;
    std::unique_ptr<Registry> registry_;
  };

  /// Opens the store once, so that what is wrong with it is said here: throws as Registry does.
  explicit RegistryPool(StoreLocation location, const Clock& clock, bool must_exist = false,
                        RegistryPoolOptions options = {});
  RegistryPool(const RegistryPool&) = delete;
  RegistryPool& operator=(const RegistryPool&) = delete;

  /// `actor` makes the changes of this lease (Registry::act_as). Throws Error{kUnavailable} when
  /// all are in use for too long, and what Registry does.
  Lease take(std::string_view actor);

  const StoreLocation& location() const { return location_; }

 private:
  std::unique_ptr<Registry> take_spare();  // none: to be made, and counted as in use
  void give_back(std::unique_ptr<Registry> registry);

  const StoreLocation location_;
  const Clock& clock_;
  const RegistryPoolOptions options_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<std::unique_ptr<Registry>> spare_;  // the latest used last
  std::size_t in_use_ = 0;
};

}  // namespace onnxop
