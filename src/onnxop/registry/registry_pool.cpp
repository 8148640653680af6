#include "onnxop/registry/registry_pool.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {

RegistryPool::Lease::Lease(RegistryPool& pool, std::unique_ptr<Registry> registry)
    : pool_(&pool), registry_(std::move(registry)) {}

RegistryPool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), registry_(std::move(other.registry_)) {}

RegistryPool::Lease::~Lease() {
  if (pool_ != nullptr) {
    pool_->give_back(std::move(registry_));
  }
}

RegistryPool::RegistryPool(StoreLocation location, const Clock& clock, bool must_exist,
                           RegistryPoolOptions options)
    : location_(std::move(location)), clock_(clock), options_(options) {
  spare_.reserve(std::max<std::size_t>(options_.most, 1));
  spare_.push_back(std::make_unique<Registry>(location_, clock_, must_exist));
}

RegistryPool::Lease RegistryPool::take(std::string_view actor) {
  std::unique_ptr<Registry> registry = take_spare();
  if (!registry) {
    try {
      registry = std::make_unique<Registry>(location_, clock_, true);
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }
  Lease lease(*this, std::move(registry));
  lease->act_as(actor);
  return lease;
}

std::unique_ptr<Registry> RegistryPool::take_spare() {
  const std::size_t most = std::max<std::size_t>(options_.most, 1);
  std::unique_lock lock(mutex_);
  const bool free = given_back_.wait_for(lock, options_.patience, [&] { return in_use_ < most; });
  if (!free) {
    fail(ErrorCode::kUnavailable, "{}: all {} connections to the store are in use; tried for {} ms",
         location_.text(), most, options_.patience.count());
  }
  ++in_use_;
  if (spare_.empty()) {
    return nullptr;
  }
  auto registry = std::move(spare_.back());
  spare_.pop_back();
  return registry;
}

void RegistryPool::give_back(std::unique_ptr<Registry> registry) {
  const bool keep = registry && registry->is_connected();
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (keep) {
      spare_.push_back(std::move(registry));
    }
  }
  given_back_.notify_one();
}

}  // namespace onnxop
