#include "onnxop/wire/mlflow_fields.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/wire/mlflow_values.h"

namespace onnxop {
namespace {

constexpr std::string_view kUnparsed = "the request's body";

[[noreturn]] void refuse(std::string_view key, std::string_view got, std::string_view expected) {
  fail(ErrorCode::kInvalidArgument, "Invalid value {} for parameter '{}' supplied: expected {}",
       got, key, expected);
}

std::string text_of(const JsonElement& value, std::string_view key) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) {
    refuse(key, describe_json(value), "a text");
  }
  return std::string(text);
}

JsonArray array_of(const JsonElement& value, std::string_view key) {
  JsonArray array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    refuse(key, describe_json(value), "a list");
  }
  return array;
}

JsonObject object_of(const JsonElement& value, std::string_view key) {
  JsonObject object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    refuse(key, describe_json(value), "an object");
  }
  return object;
}

std::shared_ptr<const JsonDocument> parse(std::string_view json) {
  return std::make_shared<const JsonDocument>(json.empty() ? "{}" : json, kMlflowDepth);
}

}  // namespace

/// One of the two is there.
class MlflowFields::Source {
 public:
  std::shared_ptr<const JsonDocument> document;  // that `object` lies in
  std::optional<JsonObject> object;
  Query query;

  std::optional<JsonElement> element(std::string_view key) const {
    return find_member(object, key);
  }

  const std::string* query_value(std::string_view key) const {
    const auto found = std::find_if(query.begin(), query.end(),
                                    [&](const auto& each) { return each.first == key; });
    return found == query.end() ? nullptr : &found->second;
  }
};

MlflowFields::MlflowFields(std::string_view json) {
  auto source = std::make_shared<Source>();
  source->document = parse(json);
  source->object = object_of(source->document->root(), kUnparsed);
  source_ = std::move(source);
}

MlflowFields::MlflowFields(Query query) {
  auto source = std::make_shared<Source>();
  source->query = std::move(query);
  source_ = std::move(source);
}

MlflowFields::MlflowFields(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

bool MlflowFields::has(std::string_view key) const {
  return source_->query_value(key) != nullptr || source_->element(key);
}

std::optional<std::string> MlflowFields::find_text(std::string_view key) const {
  if (const std::string* value = source_->query_value(key)) {
    return *value;
  }
  const auto element = source_->element(key);
  return element ? std::optional(text_of(*element, key)) : std::nullopt;
}

std::optional<std::string> MlflowFields::find_text_or_number(std::string_view key) const {
  const auto element = source_->element(key);
  return element && element->is_number()
             ? std::optional(format("{}", mlflow_integer(*element, key)))
             : find_text(key);
}

std::string MlflowFields::text(std::string_view key) const {
  return find_text(key).value_or(std::string());
}

std::string MlflowFields::required(std::string_view key) const {
  std::string value = text(key);
  if (value.empty()) {
    fail_missing_parameter(key);
  }
  return value;
}

std::optional<std::int64_t> MlflowFields::integer(std::string_view key) const {
  if (const std::string* value = source_->query_value(key)) {
    return mlflow_integer(*value, key);
  }
  const auto element = source_->element(key);
  return element ? std::optional(mlflow_integer(*element, key)) : std::nullopt;
}

std::optional<double> MlflowFields::number(std::string_view key) const {
  if (const std::string* value = source_->query_value(key)) {
    return mlflow_number(*value, key);
  }
  const auto element = source_->element(key);
  return element ? std::optional(mlflow_number(*element, key)) : std::nullopt;
}

std::optional<bool> MlflowFields::truth(std::string_view key) const {
  if (const std::string* value = source_->query_value(key)) {
    std::string lower = *value;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (lower != "true" && lower != "false") {
      refuse(key, format("'{}'", shown(*value)), "true or false");
    }
    return lower == "true";
  }
  const auto element = source_->element(key);
  bool value = false;
  if (element && element->get_bool().get(value) != simdjson::SUCCESS) {
    refuse(key, describe_json(*element), "true or false");
  }
  return element ? std::optional(value) : std::nullopt;
}

std::vector<std::string> MlflowFields::texts(std::string_view key) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : source_->query) {
    if (name == key) {
      values.push_back(value);
    }
  }
  if (const auto element = source_->element(key)) {
    for (const JsonElement& each : array_of(*element, key)) {
      values.push_back(text_of(each, key));
    }
  }
  return values;
}

std::vector<MlflowFields> MlflowFields::objects(std::string_view key) const {
  std::vector<MlflowFields> values;
  if (const auto element = source_->element(key)) {
    for (const JsonElement& each : array_of(*element, key)) {
      auto source = std::make_shared<Source>();
      source->document = source_->document;
      source->object = object_of(each, key);
      values.push_back(MlflowFields(std::shared_ptr<const Source>(std::move(source))));
    }
  }
  return values;
}

std::optional<MlflowFields> MlflowFields::object(std::string_view key) const {
  const auto element = source_->element(key);
  if (!element) {
    return std::nullopt;
  }
  auto source = std::make_shared<Source>();
  source->document = source_->document;
  source->object = object_of(*element, key);
  return MlflowFields(std::shared_ptr<const Source>(std::move(source)));
}

Texts MlflowFields::pairs(std::string_view key) const {
  Texts values;
  std::size_t index = 0;
  for (const MlflowFields& each : objects(key)) {
    const std::string name = each.text("key");
    if (name.empty()) {
      fail_missing_parameter(format("{}[{}].key", key, index));
    }
    values[name] = each.text("value");
    ++index;
  }
  return values;
}

std::string MlflowFields::run_id() const {
  std::string id = text("run_id");
  return id.empty() && has("run_uuid") ? required("run_uuid")
         : id.empty()                  ? required("run_id")
                                       : id;
}

std::int64_t MlflowFields::required_integer(std::string_view key) const {
  const auto value = integer(key);
  if (!value) {
    fail_missing_parameter(key);
  }
  return *value;
}

std::int64_t MlflowFields::experiment_id(std::string_view key) const {
  return parse_experiment_id(required(key));
}

std::vector<std::int64_t> MlflowFields::experiment_ids() const {
  std::vector<std::int64_t> ids;
  for (const std::string& text : texts("experiment_ids")) {
    ids.push_back(parse_experiment_id(text));
  }
  return ids;
}

ViewType MlflowFields::view_type(std::string_view key) const {
  const std::string name = find_text_or_number(key).value_or(std::string());
  if (name.empty() || name == "ACTIVE_ONLY" || name == "1") {
    return ViewType::kActiveOnly;
  }
  if (name == "DELETED_ONLY" || name == "2") {
    return ViewType::kDeletedOnly;
  }
  if (name == "ALL" || name == "3") {
    return ViewType::kAll;
  }
  refuse(key, format("'{}'", shown(name)), "ACTIVE_ONLY, DELETED_ONLY or ALL");
}

std::int64_t MlflowFields::max_results(std::int64_t otherwise, std::int64_t most) const {
  const std::int64_t value = integer("max_results").value_or(otherwise);
  if (value < 1 || value > most) {
    refuse("max_results", format("{}", value), format("1 to {}", most));
  }
  return value;
}

void fail_missing_parameter(std::string_view name) {
  fail(ErrorCode::kInvalidArgument, "Missing value for required parameter '{}'.", name);
}

std::int64_t parse_experiment_id(std::string_view text) {
  const std::int64_t id = mlflow_integer(text, "experiment_id");
  if (id < 0) {
    refuse("experiment_id", format("'{}'", id), "a whole number from 0 on");
  }
  return id;
}

}  // namespace onnxop
