#include "onnxop/workflow/point_sink.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "onnxop/base/clock.h"

namespace onnxop {
namespace {

bool same(const Metric& a, const Metric& b) {
  return a.step == b.step && a.timestamp_ms == b.timestamp_ms &&
         std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value);
}

class StoreSink : public PointSink {
 public:
  StoreSink(StoreLocation location, std::string run_id)
      : location_(std::move(location)), run_id_(std::move(run_id)) {}

  void write(const std::vector<Metric>& points) override {
    with_registry([&](Registry& registry) { registry.runs().log_metrics(run_id_, points); });
  }

  bool has(const std::vector<Metric>& points) override {
    if (points.empty()) {
      return true;
    }
    bool found = false;
    with_registry([&](Registry& registry) {
      const auto history = registry.runs().metric_history(run_id_, points.back().key);
      found = std::ranges::any_of(
          history, [&](const Metric& metric) { return same(metric, points.back()); });
    });
    return found;
  }

 private:
  template <typename Action>
  void with_registry(const Action& action) {
    try {
      if (!registry_) {
        registry_.emplace(location_, clock_, /*must_exist=*/true);
      }
      action(*registry_);
    } catch (...) {
      registry_.reset();
      throw;
    }
  }

  StoreLocation location_;
  std::string run_id_;
  SystemClock clock_;
  std::optional<Registry> registry_;
};

}  // namespace

std::unique_ptr<PointSink> store_sink(StoreLocation location, std::string run_id) {
  return std::make_unique<StoreSink>(std::move(location), std::move(run_id));
}

}  // namespace onnxop
