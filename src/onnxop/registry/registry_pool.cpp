#include "onnxop/registry/registry_pool.h"

#include <utility>

namespace onnxop {

RegistryPool::RegistryPool(StoreLocation location, const Clock& clock, bool must_exist)
    : location_(std::move(location)), clock_(clock) {
  spare_.push_back(std::make_unique<Registry>(location_, clock_, must_exist));
}

RegistryPool::Lease RegistryPool::take() {
  std::unique_ptr<Registry> registry;
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      registry = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (!registry) {
    registry = std::make_unique<Registry>(location_, clock_);
  }
  return {registry.release(), GiveBack{this}};
}

void RegistryPool::GiveBack::operator()(Registry* registry) const {
  std::unique_ptr<Registry> mine(registry);
  const std::lock_guard lock(pool->mutex_);
  pool->spare_.push_back(std::move(mine));
}

}  // namespace onnxop
