#pragma once
// Registry objects of one store for several threads: each that asks gets one for itself, opened
// when it is first needed and used again later. Safe from any thread.

#include <memory>
#include <mutex>
#include <vector>

#include "onnxop/registry/registry.h"

namespace onnxop {

class RegistryPool {
 public:
  /// Opens the store once, so that what is wrong with it shows here: throws what Registry does.
  /// `clock` outlives it.
  explicit RegistryPool(StoreLocation location, const Clock& clock, bool must_exist = false);
  RegistryPool(const RegistryPool&) = delete;
  RegistryPool& operator=(const RegistryPool&) = delete;

  /// Goes back to the pool, which outlives it.
  struct GiveBack {
    RegistryPool* pool = nullptr;
    void operator()(Registry* registry) const;
  };
  using Lease = std::unique_ptr<Registry, GiveBack>;

  /// Of one thread, until the lease ends. Throws what Registry does.
  Lease take();

 private:
  StoreLocation location_;
  const Clock& clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Registry>> spare_;
};

}  // namespace onnxop
