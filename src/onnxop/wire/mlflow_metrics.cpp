#include "onnxop/wire/mlflow_metrics.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "onnxop/wire/mlflow_json.h"
#include "onnxop/wire/mlflow_keys.h"

namespace onnxop {
namespace {

constexpr std::size_t kBytesOfMetric = 100;  // about, in an answer

}  // namespace

LogBatch log_metric_of(const MlflowFields& fields) {
  LogBatch log;
  log.run_id = fields.run_id();
  Metric metric;
  metric.key = fields.required("key");
  check_mlflow_key(metric.key, "key");
  const auto value = fields.number("value");
  if (!value) {
    fail_missing_parameter("value");
  }
  metric.value = *value;
  metric.timestamp_ms = fields.required_integer("timestamp");
  metric.step = fields.integer("step").value_or(0);
  if (const std::string model_id = fields.text("model_id"); !model_id.empty()) {
    log.of_models[model_id].push_back(
        {metric, log.run_id, fields.text("dataset_name"), fields.text("dataset_digest")});
  }
  log.batch.metrics.push_back(std::move(metric));
  return log;
}

void sort_history(std::vector<Metric>& metrics) {
  std::stable_sort(metrics.begin(), metrics.end(), [](const Metric& a, const Metric& b) {
    return std::tie(a.timestamp_ms, a.step) < std::tie(b.timestamp_ms, b.step);
  });
}

std::string metric_history_json(const Page<Metric>& page) {
  JsonWriter json;
  json.reserve(page.items.size() * kBytesOfMetric);
  json.open_object().key("metrics").open_array();
  for (const Metric& metric : page.items) {
    json.open_object();
    write_metric(json, metric);
    json.close_object();
  }
  json.close_array();
  write_next_page(json, page.next_page_token);
  json.close_object();
  return json.take();
}

void thin_out(RunHistory& history, const HistoryInterval& interval) {
  std::vector<Metric>& metrics = history.metrics;
  std::erase_if(metrics, [&](const Metric& metric) {
    return interval.first_step &&
           (metric.step < *interval.first_step || metric.step > *interval.last_step);
  });
  std::stable_sort(metrics.begin(), metrics.end(), [](const Metric& a, const Metric& b) {
    return a.step != b.step ? a.step < b.step : a.timestamp_ms < b.timestamp_ms;
  });
  std::vector<std::int64_t> steps;
  for (const Metric& metric : metrics) {
    if (steps.empty() || steps.back() != metric.step) {
      steps.push_back(metric.step);
    }
  }
  const auto most = static_cast<std::size_t>(interval.max_results);
  if (steps.size() <= most) {
    return;
  }
  std::set<std::int64_t> kept{steps.back()};
  for (std::size_t i = 0; i < most; ++i) {
    kept.insert(steps[i * steps.size() / most]);
  }
  std::erase_if(metrics, [&](const Metric& metric) { return !kept.contains(metric.step); });
}

std::string run_histories_json(const std::vector<RunHistory>& histories) {
  JsonWriter json;
  json.open_object().key("metrics").open_array();
  for (const RunHistory& history : histories) {
    for (const Metric& metric : history.metrics) {
      json.open_object();
      write_metric(json, metric);
      json.text("run_id", history.run_id).close_object();
    }
  }
  json.close_array().close_object();
  return json.take();
}

}  // namespace onnxop
