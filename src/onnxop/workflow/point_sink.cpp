#include "onnxop/workflow/point_sink.h"

#include <optional>
#include <utility>

#include "onnxop/base/clock.h"

namespace onnxop {
namespace {

class StoreSink : public PointSink {
 public:
  StoreSink(StoreLocation location, std::string run_id)
      : location_(std::move(location)), run_id_(std::move(run_id)) {}

  void write(const std::vector<Metric>& points) override {
    try {
      if (!registry_) {
        registry_.emplace(location_, clock_, /*must_exist=*/true);
      }
      registry_->runs().log_metrics(run_id_, points);
    } catch (...) {
      registry_.reset();
      throw;
    }
  }

 private:
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
