// runs/log-batch, the call that is asked most, read straight from the parsed JSON.

#include <array>

#include "onnxop/base/error.h"
#include "onnxop/wire/mlflow_keys.h"
#include "onnxop/wire/mlflow_metrics.h"
#include "onnxop/wire/mlflow_values.h"

namespace onnxop {
namespace {

// MLflow's limits.
constexpr std::size_t kMostBytes = 1'000'000;
constexpr std::size_t kMostMetrics = 1000;
constexpr std::size_t kMostPairs = 100;
constexpr std::size_t kMostInAll = 1000;

void check_count(std::string_view what, std::size_t count, std::size_t most) {
  if (count > most) {
    fail(ErrorCode::kInvalidArgument, "A batch of logged data has {} {}, expected at most {}",
         count, what, most);
  }
}

/// The field of an element of a list, for messages: "metrics[3].key".
struct ElementName {
  std::string_view list;
  std::size_t index;
  std::string of(std::string_view field) const { return format("{}[{}].{}", list, index, field); }
};

JsonElement required(const JsonObject& object, std::string_view key, const ElementName& name) {
  const auto value = find_member(object, key);
  if (!value) {
    fail_missing_parameter(name.of(key));
  }
  return *value;
}

std::string_view text(const JsonElement& value, std::string_view key, const ElementName& name) {
  std::string_view found;
  if (value.get_string().get(found) != simdjson::SUCCESS) {
    fail(ErrorCode::kInvalidArgument,
         "Invalid value {} for parameter '{}' supplied: expected a text", describe_json(value),
         name.of(key));
  }
  return found;
}

std::string_view key_of(const JsonObject& object, const ElementName& name) {
  const std::string_view key = text(required(object, "key", name), "key", name);
  if (key.empty()) {
    fail_missing_parameter(name.of("key"));
  }
  check_mlflow_key(key, "key");
  return key;
}

std::string text_or_none(const JsonObject& object, std::string_view key, const ElementName& name) {
  const auto value = find_member(object, key);
  return value ? std::string(text(*value, key, name)) : std::string();
}

void read_metric(const JsonObject& object, const ElementName& name, LogBatch& log) {
  Metric& metric = log.batch.metrics.emplace_back();
  metric.key = key_of(object, name);
  // The names of fields are put together only where they are needed.
  const JsonElement value = required(object, "value", name);
  double number = 0;
  metric.value = value.is_number() && value.get_double().get(number) == simdjson::SUCCESS
                     ? number
                     : mlflow_number(value, name.of("value"));
  const auto integer = [&](const JsonElement& element, std::string_view key) {
    std::int64_t found = 0;
    return element.get_int64().get(found) == simdjson::SUCCESS
               ? found
               : mlflow_integer(element, name.of(key));
  };
  metric.timestamp_ms = integer(required(object, "timestamp", name), "timestamp");
  if (const auto step = find_member(object, "step")) {
    metric.step = integer(*step, "step");
  }
  if (const std::string model_id = text_or_none(object, "model_id", name); !model_id.empty()) {
    log.of_models[model_id].push_back({metric, log.run_id,
                                       text_or_none(object, "dataset_name", name),
                                       text_or_none(object, "dataset_digest", name)});
  }
}

/// Calls read(object, its name) for each element of the list, if it is there. -> how many.
template <typename Read>
std::size_t read_list(const JsonObject& root, std::string_view key, std::size_t most, Read read) {
  const auto list = find_member(root, key);
  if (!list) {
    return 0;
  }
  const JsonArray array = as_array(*list, key);
  check_count(key, array.size(), most);
  ElementName name{key, 0};
  for (const JsonElement& element : array) {
    read(as_object(element, key), name);
    ++name.index;
  }
  return name.index;
}

}  // namespace

LogBatch parse_log_batch(std::string_view json) {
  if (json.size() > kMostBytes) {
    fail(ErrorCode::kInvalidArgument,
         "Batched logging API requests must be at most {} bytes, got a request of size {}.",
         kMostBytes, json.size());
  }
  const JsonDocument document(json.empty() ? "{}" : json, kMlflowDepth);
  const JsonObject root = as_object(document.root(), "the request's body");
  LogBatch log;
  for (const std::string_view key : {"run_id", "run_uuid"}) {
    if (const auto id = find_member(root, key); id && log.run_id.empty()) {
      log.run_id = as_text(*id, key);
    }
  }
  if (log.run_id.empty()) {
    fail_missing_parameter("run_id");
  }
  const std::size_t metrics = read_list(
      root, "metrics", kMostMetrics,
      [&](const JsonObject& object, const auto& name) { read_metric(object, name, log); });
  const std::size_t params =
      read_list(root, "params", kMostPairs, [&](const JsonObject& object, const auto& name) {
        const std::string_view key = key_of(object, name);
        const std::string value = text_or_none(object, "value", name);
        const auto [at, is_new] = log.batch.params.emplace(key, value);
        if (!is_new && at->second != value) {
          fail(ErrorCode::kInvalidArgument,
               "the batch has the parameter '{}' twice, with the values '{}' and '{}'", shown(key),
               shown(at->second), shown(value));
        }
      });
  const std::size_t tags =
      read_list(root, "tags", kMostPairs, [&](const JsonObject& object, const auto& name) {
        log.batch.tags.insert_or_assign(std::string(key_of(object, name)),
                                        text_or_none(object, "value", name));
      });
  check_count("metrics, params and tags", metrics + params + tags, kMostInAll);
  return log;
}

}  // namespace onnxop
