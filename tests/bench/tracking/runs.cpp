#include "bench/tracking/runs.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"

namespace onnxop::bench {
namespace {

constexpr long long kFirstTime = 1'700'000'000'000;

Json pair(const char* key, const std::string& value) {
  return {{"key", key}, {"value", value}};
}

Json metric(const std::string& key, double value, long long step) {
  return {{"key", key}, {"value", value}, {"timestamp", kFirstTime + step}, {"step", step}};
}

}  // namespace

double accuracy_of(int run) {
  return static_cast<double>(run * 7919LL % 1000003) / 1000003;
}

double threshold(int runs, int above) {
  std::vector<double> all;
  for (int run = 0; run < runs; ++run) {
    all.push_back(accuracy_of(run));
  }
  std::nth_element(all.begin(), all.begin() + above, all.end(), std::greater<>());
  return all[static_cast<std::size_t>(above)];
}

std::string create_body(const std::string& experiment, int run) {
  return dump_json({{"experiment_id", experiment},
                    {"start_time", kFirstTime + run * 1000LL},
                    {"run_name", format("run-{}", run)},
                    {"tags", Json::array({pair("mlflow.user", "bench"), pair("team", "vision")})}});
}

std::string data_body(const std::string& run_id, int run) {
  static const char* const kOptimizers[] = {"sgd", "adam", "adadelta"};
  return dump_json({{"run_id", run_id},
                    {"metrics", Json::array({metric("accuracy", accuracy_of(run), 10),
                                             metric("loss", 1 - accuracy_of(run), 10)})},
                    {"params", Json::array({pair("optimizer", kOptimizers[run % 3]),
                                            pair("batch", std::to_string(32 << run % 4)),
                                            pair("seed", std::to_string(run))})}});
}

std::string metrics_body(const std::string& run_id, int metrics, long long step) {
  Json list = Json::array();
  for (int at = 0; at < metrics; ++at) {
    list.push_back(
        metric(format("metric-{}", at), 1.0 / (static_cast<double>(step) + at + 1), step));
  }
  return dump_json({{"run_id", run_id}, {"metrics", list}});
}

std::string points_body(const std::string& run_id, int points, long long step) {
  Json list = Json::array();
  for (int at = 0; at < points; ++at, ++step) {
    list.push_back(metric("loss", 1.0 / (static_cast<double>(step) + 1), step));
  }
  return dump_json({{"run_id", run_id}, {"metrics", list}});
}

std::string search_body(const std::string& experiment, const std::string& filter,
                        const std::string& order) {
  Json body{
      {"experiment_ids", Json::array({experiment})}, {"filter", filter}, {"max_results", 100}};
  if (!order.empty()) {
    body["order_by"] = Json::array({order});
  }
  return dump_json(body);
}

}  // namespace onnxop::bench
