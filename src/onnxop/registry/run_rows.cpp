#include "onnxop/registry/run_rows.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "onnxop/base/error.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

LifecycleStage parse_stage(const std::string& name) {
  return name == lifecycle_stage_name(LifecycleStage::kDeleted) ? LifecycleStage::kDeleted
                                                                : LifecycleStage::kActive;
}

struct SelectRun {
  explicit SelectRun(Session& session)
      : statement((session.prepare << "SELECT number, experiment_id, lifecycle_stage FROM runs "
                                      "WHERE run_id = :run",
                   use(run_id), into(number), into(experiment), into(stage))) {}

  std::string run_id;
  long long number = 0;
  long long experiment = 0;
  std::string stage;
  soci::statement statement;
};

// Loads the runs of some numbers, one table after the other.
class RunLoader {
 public:
  RunLoader(Session& session, std::span<const std::int64_t> numbers)
      : session_(session), numbers_(numbers), list_(number_list(numbers)) {}

  std::vector<Run> load() {
    load_rows();
    for_each_value(session_, kRunParams, numbers_, [&](auto number, auto& key, auto& value) {
      of(number).params.emplace_hint(of(number).params.end(), key, value);
    });
    for_each_value(session_, kRunTags, numbers_, [&](auto number, auto& key, auto& value) {
      of(number).tags.emplace_hint(of(number).tags.end(), key, value);
    });
    load_metrics();
    load_datasets();
    load_models();
    return in_order();
  }

 private:
  Run& of(std::int64_t number) { return runs_.at(number); }

  void load_rows() {
    Run run;
    std::string status;
    std::string stage;
    long long number = 0;
    long long experiment = 0;
    long long start = 0;
    long long end = 0;
    soci::indicator has_end = soci::i_null;
    soci::statement select =
        (session_.prepare << "SELECT r.number, r.run_id, r.experiment_id, e.artifact_location, "
                             "r.name, r.user_id, r.status, r.lifecycle_stage, r.start_time_ms, "
                             "r.end_time_ms FROM runs r JOIN experiments e ON e.experiment_id = "
                             "r.experiment_id WHERE r.number IN ("
                          << list_ << ")",
         into(number), into(run.run_id), into(experiment), into(run.experiment_folder),
         into(run.name), into(run.user_id), into(status), into(stage), into(start),
         into(end, has_end));
    select.execute();
    while (select.fetch()) {
      run.experiment_id = experiment;
      run.status = status_of(status);
      run.lifecycle_stage = parse_stage(stage);
      run.start_time_ms = start;
      run.end_time_ms.reset();
      if (has_end == soci::i_ok) {
        run.end_time_ms = end;
      }
      runs_.emplace(number, run);
    }
  }

  static RunStatus status_of(const std::string& name) {
    try {
      return parse_run_status(name);
    } catch (const Error&) {
      fail(ErrorCode::kDataLoss, "the store has a run with the unknown status '{}'", name);
    }
  }

  void load_metrics() {
    long long number = 0;
    long long step = 0;
    long long timestamp_ms = 0;
    std::string key;
    double value = 0;
    int is_nan = 0;
    soci::statement select =
        (session_.prepare << "SELECT run, key, value, is_nan, timestamp_ms, step FROM "
                             "run_latest_metrics WHERE run IN ("
                          << list_ << ")",
         into(number), into(key), into(value), into(is_nan), into(timestamp_ms), into(step));
    select.execute();
    while (select.fetch()) {
      of(number).metrics.emplace(
          key, Metric{key, metric_from_columns(value, is_nan), timestamp_ms, step});
    }
  }

  void load_datasets() {
    std::unordered_map<std::int64_t, std::unordered_map<std::int64_t, std::size_t>> index_of;
    long long number = 0;
    long long dataset = 0;
    DatasetInfo row;
    soci::statement select =
        (session_.prepare << "SELECT r.run, r.dataset, d.name, d.digest, d.source_type, d.source, "
                             "d.schema_text, d.profile FROM run_datasets r JOIN datasets d "
                             "ON d.dataset = r.dataset WHERE r.run IN ("
                          << list_ << ") ORDER BY r.run, r.dataset",
         into(number), into(dataset), into(row.name), into(row.digest), into(row.source_type),
         into(row.source), into(row.schema), into(row.profile));
    select.execute();
    while (select.fetch()) {
      auto& inputs = of(number).dataset_inputs;
      index_of[number][dataset] = inputs.size();
      inputs.push_back({row, {}});
    }
    if (!index_of.empty()) {
      load_dataset_tags(index_of);
    }
  }

  template <typename Index>
  void load_dataset_tags(const Index& index_of) {
    long long number = 0;
    long long dataset = 0;
    std::string key;
    std::string value;
    soci::statement select = (session_.prepare << "SELECT run, dataset, key, value FROM "
                                                  "run_dataset_tags WHERE run IN ("
                                               << list_ << ")",
                              into(number), into(dataset), into(key), into(value));
    select.execute();
    while (select.fetch()) {
      of(number).dataset_inputs[index_of.at(number).at(dataset)].tags[key] = value;
    }
  }

  void load_models() {
    long long number = 0;
    std::string direction;
    std::string model_id;
    long long step = 0;
    soci::statement select =
        (session_.prepare << "SELECT run, direction, model_id, step FROM run_models WHERE run IN ("
                          << list_ << ") ORDER BY run, direction, step, model_id",
         into(number), into(direction), into(model_id), into(step));
    select.execute();
    while (select.fetch()) {
      Run& run = of(number);
      (direction == "input" ? run.model_inputs : run.model_outputs).push_back({model_id, step});
    }
  }

  std::vector<Run> in_order() {
    std::vector<Run> runs;
    runs.reserve(runs_.size());
    for (const std::int64_t number : numbers_) {
      if (const auto found = runs_.find(number); found != runs_.end()) {
        runs.push_back(std::move(found->second));
        runs_.erase(found);
      }
    }
    return runs;
  }

  Session& session_;
  std::span<const std::int64_t> numbers_;
  std::string list_;
  std::unordered_map<std::int64_t, Run> runs_;
};

}  // namespace

std::vector<Run> load_runs(Session& session, std::span<const std::int64_t> numbers) {
  constexpr std::size_t kAtOnce = 5000;  // keeps the statement's text small
  std::vector<Run> runs;
  for (std::size_t at = 0; at < numbers.size(); at += kAtOnce) {
    auto some =
        RunLoader(session, numbers.subspan(at, std::min(kAtOnce, numbers.size() - at))).load();
    runs.insert(runs.end(), std::make_move_iterator(some.begin()),
                std::make_move_iterator(some.end()));
  }
  return runs;
}

RunRow find_run(Session& session, const RegistryCore& core, std::string_view run_id) {
  auto& select = session.kept<SelectRun>();
  select.run_id = run_id;
  std::optional<RunRow> row;
  select.statement.execute();
  while (select.statement.fetch()) {
    row = {select.number, select.experiment, parse_stage(select.stage)};
  }
  if (!row) {
    fail(ErrorCode::kNotFound, "no run '{}' in the store {}", run_id, core.location.text());
  }
  return *row;
}

RunRow find_active_run(Session& session, const RegistryCore& core, std::string_view run_id) {
  const RunRow row = find_run(session, core, run_id);
  if (row.lifecycle_stage == LifecycleStage::kDeleted) {
    fail(ErrorCode::kFailedPrecondition,
         "run {} is deleted and cannot be written: restore it first", run_id);
  }
  return row;
}

std::int64_t run_number(Session& session, const RegistryCore& core, std::string_view run_id) {
  return find_run(session, core, run_id).number;
}

}  // namespace onnxop
