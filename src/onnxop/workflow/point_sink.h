#pragma once
// Where the points of a run's metrics go: the store, or a fake in tests.

#include <memory>
#include <string>
#include <vector>

#include "onnxop/registry/registry.h"

namespace onnxop {

class PointSink {
 public:
  virtual ~PointSink() = default;
  /// All or none, on disk when it returns; what is there already is kept once. Throws Error; the
  /// points may be written all the same, where the connection broke behind the commit.
  virtual void write(const std::vector<Metric>& points) = 0;
};

/// The run's metrics in the store at `location`. Opens it at its first call, and again after a call
/// that failed: a connection that broke is made anew. One thread at a time.
std::unique_ptr<PointSink> store_sink(StoreLocation location, std::string run_id);

}  // namespace onnxop
