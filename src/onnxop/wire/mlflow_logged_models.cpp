#include "onnxop/wire/mlflow_logged_models.h"

#include <algorithm>
#include <array>

#include "onnxop/base/error.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_json.h"

namespace onnxop {
namespace {

void write_model(JsonWriter& json, const LoggedModel& model) {
  json.open_object()
      .key("info")
      .open_object()
      .text("model_id", model.model_id)
      .text("experiment_id", format("{}", model.experiment_id))
      .text("name", model.name)
      .integer("creation_timestamp_ms", model.created_ms)
      .integer("last_updated_timestamp_ms", model.updated_ms)
      .text("artifact_uri", artifact_uri(logged_model_artifact_root(model)))
      .text("status", model.status);
  write_text_if_any(json, "model_type", model.model_type);
  write_text_if_any(json, "source_run_id", model.source_run_id);
  write_pairs(json, "tags", model.tags);
  json.close_object().key("data").open_object();
  write_pairs(json, "params", model.params);
  json.key("metrics").open_array();
  for (const LoggedModelMetric& each : model.metrics) {
    json.open_object();
    write_metric(json, each.metric);
    write_text_if_any(json, "dataset_name", each.dataset_name);
    write_text_if_any(json, "dataset_digest", each.dataset_digest);
    json.text("model_id", model.model_id).text("run_id", each.run_id).close_object();
  }
  json.close_array().close_object().close_object();
}

MetricDataset order_dataset_of(const MlflowFields& order) {
  MetricDataset dataset{order.text("dataset_name"), order.text("dataset_digest")};
  if (dataset.name.empty() && !dataset.digest.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "order_by: the data set's digest '{}' stands there without its dataset_name",
         dataset.digest.substr(0, 100));
  }
  return dataset;
}

// "metrics.f1 score": what follows the dot is the key as it is, which the grammar wants in quotes.
std::string quoted_field(std::string field) {
  constexpr std::string_view kMetrics = "metrics.";
  if (!field.starts_with(kMetrics) || field.find_first_of("`\"") != std::string::npos) {
    return field;
  }
  return field.insert(kMetrics.size(), "`") + "`";
}

}  // namespace

std::string logged_model_json(const LoggedModel& model) {
  JsonWriter json;
  json.open_object().key("model");
  write_model(json, model);
  json.close_object();
  return json.take();
}

std::string logged_models_json(const Page<LoggedModel>& page) {
  JsonWriter json;
  json.open_object().key("models").open_array();
  for (const LoggedModel& model : page.items) {
    write_model(json, model);
  }
  json.close_array();
  write_next_page(json, page.next_page_token);
  json.close_object();
  return json.take();
}

LoggedModel new_logged_model_of(const MlflowFields& fields) {
  LoggedModel model;
  model.experiment_id = fields.experiment_id();
  model.name = fields.text("name");
  model.model_type = fields.text("model_type");
  model.source_run_id = fields.text("source_run_id");
  model.params = fields.pairs("params");
  model.tags = fields.pairs("tags");
  return model;
}

std::string logged_model_status_of(const MlflowFields& fields) {
  constexpr std::array<std::string_view, 4> kStatuses{"LOGGED_MODEL_STATUS_UNSPECIFIED",
                                                      "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
                                                      "LOGGED_MODEL_UPLOAD_FAILED"};
  const auto status = fields.find_text_or_number("status");
  if (!status || status->empty()) {
    fail_missing_parameter("status");
  }
  for (std::size_t i = 1; i < kStatuses.size(); ++i) {
    if (*status == kStatuses[i] || *status == format("{}", i)) {
      return std::string(kStatuses[i]);
    }
  }
  fail(ErrorCode::kInvalidArgument,
       "Invalid value '{}' for parameter 'status' supplied: expected "
       "LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED",
       status->substr(0, 100));
}

LoggedModelSearch logged_model_search_of(const MlflowFields& fields) {
  constexpr std::int64_t kUsual = 50;
  constexpr std::int64_t kMost = 1000;
  LoggedModelSearch search;
  for (const MlflowFields& each : fields.objects("datasets")) {
    search.datasets.filter.push_back({each.required("dataset_name"), each.text("dataset_digest")});
  }
  SearchOptions& options = search.options;
  options.filter = fields.text("filter");
  options.max_results = fields.max_results(kUsual, kMost);
  options.page_token = fields.text("page_token");
  for (const MlflowFields& each : fields.objects("order_by")) {
    search.datasets.order_by.push_back(order_dataset_of(each));
    options.order_by.push_back(format("{} {}", quoted_field(each.required("field_name")),
                                      each.truth("ascending").value_or(true) ? "ASC" : "DESC"));
  }
  return search;
}

}  // namespace onnxop
