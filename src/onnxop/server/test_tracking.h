#pragma once
// For tests: a store in a folder of its own, and the options of a tracking API over it.

#include <string>
#include <string_view>

#include "onnxop/base/json_value.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/registry/registry_pool.h"
#include "onnxop/server/server_options.h"

namespace onnxop::testing_server {

class TestTracking {
 public:
  /// Versions are published without a look at their files.
  TrackingOptions options() {
    return {.registries = &pool_,
            .publish = [](Registry& registry, const NewVersion& version, std::string_view) {
              return registry.models().publish(version);
            }};
  }

  RegistryPool& pool() { return pool_; }
  std::filesystem::path folder() const { return folder_.path() / "store"; }

 private:
  TestFolder folder_;
  FakeClock clock_;
  RegistryPool pool_{StoreLocation(folder()), clock_};
};

}  // namespace onnxop::testing_server
