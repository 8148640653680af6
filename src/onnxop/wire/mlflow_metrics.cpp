#include "onnxop/wire/mlflow_metrics.h"

#include <algorithm>
#include <cmath>
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
  const auto place = [](const Metric& metric) {
    const bool is_nan = std::isnan(metric.value);
    return std::tuple(metric.step, metric.timestamp_ms, is_nan ? 0.0 : metric.value, is_nan);
  };
  std::ranges::sort(metrics, {}, place);
  const std::size_t count = metrics.size();
  const auto most = static_cast<std::size_t>(interval.max_results);
  if (count <= most) {
    return;
  }
  // The first pieces have one point more, where it does not come out even.
  for (std::size_t i = 0; i + 1 < most; ++i) {
    metrics[i] = metrics[i * (count / most) + std::min(i, count % most)];
  }
  metrics[most - 1] = metrics.back();
  metrics.resize(most);
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
