#pragma once
// What all searches of the store take. The grammars of `filter` and `order_by` are MLflow's
// (filter.h, docs/tracking.md).

#include <cstdint>
#include <string>
#include <vector>

#include "onnxop/registry/run.h"

namespace onnxop {

struct SearchOptions {
  std::string filter = {};                 // "": everything
  std::vector<std::string> order_by = {};  // "metrics.loss DESC"; ties: newest first
  std::int64_t max_results = 1000;         // of a page; from 1 on
  std::string page_token = {};             // of the page before; "": the first page
};

/// A data set that metrics of logged models were measured on.
struct MetricDataset {
  std::string name = {};
  std::string digest = {};  // "": any

  bool operator==(const MetricDataset&) const = default;
};

}  // namespace onnxop
