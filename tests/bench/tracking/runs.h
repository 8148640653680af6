#pragma once
// The runs that the stores of the benchmark hold: the same in each, known from their number alone.
// mlflow_store.py makes the same ones for MLflow.

#include <string>

namespace onnxop::bench {

/// Evenly spread over [0, 1); no two of the first million are alike.
double accuracy_of(int run);

/// So that so many of the first `runs` are above it.
double threshold(int runs, int above);

/// The bodies of runs/create and runs/log-batch; and of the second 100 metrics, one point each, at
/// `step`.
std::string create_body(const std::string& experiment, int run);
std::string data_body(const std::string& run_id, int run);
std::string metrics_body(const std::string& run_id, int metrics, long long step);

/// `points` points of one metric, from `step` on.
std::string points_body(const std::string& run_id, int points, long long step);

/// The body of runs/search for the first 100; `order` is one word of `order_by`, or empty.
std::string search_body(const std::string& experiment, const std::string& filter,
                        const std::string& order);

}  // namespace onnxop::bench
