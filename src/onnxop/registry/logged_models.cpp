#include "onnxop/registry/logged_models.h"

#include <array>
#include <cmath>
#include <unordered_map>

#include "onnxop/base/error.h"
#include "onnxop/registry/experiment_rows.h"
#include "onnxop/registry/logged_model_rows.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/row_select.h"
#include "onnxop/registry/run_names.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kName = 500;  // MLflow's limit
constexpr std::string_view kPending = "LOGGED_MODEL_PENDING";
constexpr std::array<std::string_view, 3> kStatuses = {kPending, "LOGGED_MODEL_READY",
                                                       "LOGGED_MODEL_UPLOAD_FAILED"};

void check_name(std::string_view name) {
  check_key("logged model", name, kName);
  if (const auto bad = name.find_first_of("/:.%\"'"); bad != std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no name of a logged model: it has '{}' in it, and none of / : . % \" ' is "
         "allowed",
         name, name[bad]);
  }
}

void check_status(std::string_view status) {
  for (const std::string_view known : kStatuses) {
    if (status == known) {
      return;
    }
  }
  fail(ErrorCode::kInvalidArgument, "'{}' is no status of a logged model: expected {}", status,
       join(kStatuses, ", "));
}

void check_texts(std::string_view what, const Texts& texts, std::size_t max_value) {
  for (const auto& [key, value] : texts) {
    check_key(what, key, RunLimits::kKey);
    check_value(what, key, value, max_value);
  }
}

LoggedModel load_model(Session& session, std::int64_t number) {
  return load_logged_models(session, std::span(&number, 1)).front();
}

void touch(Session& session, std::int64_t model, std::int64_t now_ms) {
  const long long number = model;
  const long long now = now_ms;
  session << "UPDATE logged_models SET updated_ms = :now WHERE number = :model", use(now),
      use(number);
}

struct ModelFields {
  void exchange(soci::statement& statement) {
    exchange_into(statement, number, model.model_id, experiment, model.experiment_folder,
                  model.name, model.source_run_id, model.status, model.model_type, created,
                  updated);
  }

  long long number = 0, experiment = 0, created = 0, updated = 0;
  LoggedModel model;
};

struct MetricOfModel {
  void exchange(soci::statement& statement) {
    exchange_into(statement, model, entry.run_id, entry.metric.key, entry.dataset_name,
                  entry.dataset_digest, step, timestamp_ms, value, is_nan);
  }

  long long model = 0, step = 0, timestamp_ms = 0;
  LoggedModelMetric entry;
  double value = 0;
  int is_nan = 0;
};

void load_metrics(Session& session, std::span<const std::int64_t> numbers,
                  std::unordered_map<std::int64_t, LoggedModel>& models) {
  for_each_row<MetricOfModel>(
      session, numbers,
      "model, run_id, key, dataset_name, dataset_digest, step, timestamp_ms, value, is_nan",
      "logged_model_metrics WHERE model = n.number ORDER BY model, run_id, key, dataset_name, "
      "dataset_digest",
      [&](MetricOfModel& row) {
        row.entry.metric.value = metric_from_columns(row.value, row.is_nan);
        row.entry.metric.step = row.step;
        row.entry.metric.timestamp_ms = row.timestamp_ms;
        models.at(row.model).metrics.push_back(row.entry);
      });
}

std::unordered_map<std::int64_t, LoggedModel> load_rows(Session& session,
                                                        std::span<const std::int64_t> numbers) {
  std::unordered_map<std::int64_t, LoggedModel> models;
  for_each_row<ModelFields>(
      session, numbers,
      "m.number, m.model_id, m.experiment_id, e.artifact_location, m.name, m.source_run_id, "
      "m.status, m.model_type, m.created_ms, m.updated_ms",
      "logged_models m JOIN experiments e ON e.experiment_id = m.experiment_id WHERE "
      "m.number = n.number",
      [&](ModelFields& row) {
        row.model.experiment_id = row.experiment;
        row.model.created_ms = row.created;
        row.model.updated_ms = row.updated;
        models.emplace(row.number, row.model);
      });
  return models;
}

// Keeps the later one of what is there and `entry`.
void put_metric(Session& session, std::int64_t model, const LoggedModelMetric& entry) {
  const long long number = model;
  const Metric& metric = entry.metric;
  Metric before;
  long long step = 0;
  long long timestamp_ms = 0;
  int is_nan = 0;
  session << "SELECT step, timestamp_ms, value, is_nan FROM logged_model_metrics WHERE "
             "model = :model AND run_id = :run AND key = :key AND dataset_name = :name AND "
             "dataset_digest = :digest",
      use(number), use(entry.run_id), use(metric.key), use(entry.dataset_name),
      use(entry.dataset_digest), into(step), into(timestamp_ms), into(before.value), into(is_nan);
  if (session.got_data()) {
    before = {metric.key, metric_from_columns(before.value, is_nan), timestamp_ms, step};
    if (!is_later_metric(metric, before)) {
      return;
    }
  }
  step = metric.step;
  timestamp_ms = metric.timestamp_ms;
  is_nan = std::isnan(metric.value) ? 1 : 0;
  const double value = is_nan != 0 ? 0.0 : metric.value;
  session << "INSERT INTO logged_model_metrics (model, run_id, key, dataset_name, dataset_digest, "
             "step, timestamp_ms, value, is_nan) VALUES (:model, :run, :key, :name, :digest, "
             ":step, :time, :value, :nan) ON CONFLICT (model, run_id, key, dataset_name, "
             "dataset_digest) DO UPDATE SET step = excluded.step, timestamp_ms = "
             "excluded.timestamp_ms, value = excluded.value, is_nan = excluded.is_nan",
      use(number), use(entry.run_id), use(metric.key), use(entry.dataset_name),
      use(entry.dataset_digest), use(step), use(timestamp_ms), use(value), use(is_nan);
}

void add_params(Session& session, std::string_view model_id, std::int64_t number,
                const Texts& params) {
  if (const auto conflict = add_fixed_values(session, kLoggedModelParams, number, params)) {
    fail(ErrorCode::kAlreadyExists,
         "logged model {}: parameter '{}' is '{}' and cannot become '{}': parameters do not change",
         model_id, conflict->key, conflict->before, conflict->wanted);
  }
}

}  // namespace

std::int64_t find_logged_model(Session& session, const RegistryCore& core,
                               std::string_view model_id, Deleted deleted) {
  const std::string id(model_id);
  std::string stage;
  long long number = 0;
  session << "SELECT number, lifecycle_stage FROM logged_models WHERE model_id = :id", use(id),
      into(number), into(stage);
  const bool hidden =
      deleted == Deleted::kRefused && stage == lifecycle_stage_name(LifecycleStage::kDeleted);
  if (!session.got_data() || hidden) {
    fail(ErrorCode::kNotFound, "no logged model '{}' in the store {}", model_id,
         core.location.text());
  }
  return number;
}

std::vector<LoggedModel> load_logged_models(Session& session,
                                            std::span<const std::int64_t> numbers) {
  auto found = load_rows(session, numbers);
  for_each_value(session, kLoggedModelParams, numbers, [&](auto number, auto& key, auto& value) {
    found.at(number).params.emplace(key, value);
  });
  for_each_value(session, kLoggedModelTags, numbers, [&](auto number, auto& key, auto& value) {
    found.at(number).tags.emplace(key, value);
  });
  load_metrics(session, numbers, found);
  std::vector<LoggedModel> models;
  models.reserve(found.size());
  for (const std::int64_t number : numbers) {
    if (const auto at = found.find(number); at != found.end()) {
      models.push_back(std::move(at->second));
      found.erase(at);
    }
  }
  return models;
}

LoggedModel LoggedModels::create(const LoggedModel& model) {
  const std::string name = model.name.empty() ? made_up_name() : model.name;
  check_name(name);
  check_value("type of logged model", name, model.model_type, kName);
  check_texts("parameter of a logged model", model.params, RunLimits::kParamValue);
  check_texts("tag of a logged model", model.tags, RunLimits::kTagValue);
  const std::string model_id = "m-" + random_hex(kIdDigits);
  const std::string status(kPending);
  const std::string stage(lifecycle_stage_name(LifecycleStage::kActive));
  const long long experiment = model.experiment_id;
  const long long now = core_.now_ms();
  return core_.database.write([&](Session& session) {
    require_active_experiment(session, core_, experiment);
    long long number = 0;
    session << "SELECT COALESCE(MAX(number), 0) + 1 FROM logged_models", into(number);
    session << "INSERT INTO logged_models (number, model_id, experiment_id, name, source_run_id, "
               "status, model_type, lifecycle_stage, created_ms, updated_ms) VALUES (:number, :id, "
               ":experiment, :name, :run, :status, :type, :stage, :created, :updated)",
        use(number), use(model_id), use(experiment), use(name), use(model.source_run_id),
        use(status), use(model.model_type), use(stage), use(now), use(now);
    set_values(session, kLoggedModelParams, number, model.params);
    set_values(session, kLoggedModelTags, number, model.tags);
    return load_model(session, number);
  });
}

LoggedModel LoggedModels::get(std::string_view model_id) const {
  return core_.database.read([&](Session& session) {
    return load_model(session, find_logged_model(session, core_, model_id));
  });
}

LoggedModel LoggedModels::finalize(std::string_view model_id, std::string_view status) {
  check_status(status);
  const std::string text(status);
  const long long now = core_.now_ms();
  return core_.database.write([&](Session& session) {
    const long long number = find_logged_model(session, core_, model_id);
    session << "UPDATE logged_models SET status = :status, updated_ms = :now WHERE number = :model",
        use(text), use(now), use(number);
    return load_model(session, number);
  });
}

void LoggedModels::remove(std::string_view model_id) {
  const std::string stage(lifecycle_stage_name(LifecycleStage::kDeleted));
  const long long now = core_.now_ms();
  core_.database.write([&](Session& session) {
    const long long number = find_logged_model(session, core_, model_id, Deleted::kTaken);
    session << "UPDATE logged_models SET lifecycle_stage = :stage, updated_ms = :now WHERE "
               "number = :model AND lifecycle_stage <> :same",
        use(stage), use(now), use(number), use(stage);
  });
}

void LoggedModels::set_tags(std::string_view model_id, const Texts& tags) {
  check_texts("tag of a logged model", tags, RunLimits::kTagValue);
  core_.database.write([&](Session& session) {
    const std::int64_t number = find_logged_model(session, core_, model_id);
    set_values(session, kLoggedModelTags, number, tags);
    touch(session, number, core_.now_ms());
  });
}

void LoggedModels::delete_tag(std::string_view model_id, std::string_view key) {
  core_.database.write([&](Session& session) {
    const std::int64_t number = find_logged_model(session, core_, model_id);
    if (!delete_value(session, kLoggedModelTags, number, key)) {
      fail(ErrorCode::kNotFound, "logged model {} has no tag '{}'", model_id, key);
    }
    touch(session, number, core_.now_ms());
  });
}

void LoggedModels::log_params(std::string_view model_id, const Texts& params) {
  check_texts("parameter of a logged model", params, RunLimits::kParamValue);
  core_.database.write([&](Session& session) {
    add_params(session, model_id, find_logged_model(session, core_, model_id), params);
  });
}

void LoggedModels::log_metrics(std::string_view model_id,
                               const std::vector<LoggedModelMetric>& metrics) {
  for (const LoggedModelMetric& entry : metrics) {
    check_metrics(std::span(&entry.metric, 1));
    check_value("data set of metric", entry.metric.key, entry.dataset_name, kName);
    check_value("data set's digest of metric", entry.metric.key, entry.dataset_digest, kName);
  }
  core_.database.write([&](Session& session) {
    const std::int64_t number = find_logged_model(session, core_, model_id);
    for (const LoggedModelMetric& entry : metrics) {
      put_metric(session, number, entry);
    }
  });
}

std::string logged_model_artifact_root(const LoggedModel& model) {
  return format("{}/models/{}/artifacts", model.experiment_folder, model.model_id);
}

}  // namespace onnxop
