#include "onnxop/registry/run_rows.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <unordered_map>

#include "onnxop/base/error.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/row_select.h"

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

// Rows of the tables; a `run` is a number.

struct RunFields {
  void exchange(soci::statement& statement) {
    exchange_into(statement, number, run_id, experiment, folder, name, user_id, status, stage,
                  start);
    statement.exchange(into(end, has_end));
  }

  long long number = 0, experiment = 0, start = 0, end = 0;
  std::string run_id, folder, name, user_id, status, stage;
  soci::indicator has_end = soci::i_null;
};

struct LatestMetric {
  void exchange(soci::statement& statement) {
    exchange_into(statement, run, key, value, is_nan, timestamp_ms, step);
  }

  long long run = 0, step = 0, timestamp_ms = 0;
  std::string key;
  double value = 0;
  int is_nan = 0;
};

struct DatasetOfRun {
  void exchange(soci::statement& statement) {
    exchange_into(statement, run, dataset, info.name, info.digest, info.source_type, info.source,
                  info.schema, info.profile);
  }

  long long run = 0, dataset = 0;
  DatasetInfo info;
};

struct DatasetTag {
  void exchange(soci::statement& statement) { exchange_into(statement, run, dataset, key, value); }

  long long run = 0, dataset = 0;
  std::string key, value;
};

struct ModelOfRun {
  void exchange(soci::statement& statement) {
    exchange_into(statement, run, direction, model_id, step);
  }

  long long run = 0, step = 0;
  std::string direction, model_id;
};

RunStatus status_of(const std::string& name) {
  try {
    return parse_run_status(name);
  } catch (const Error&) {
    fail(ErrorCode::kDataLoss, "the store has a run with the unknown status '{}'", name);
  }
}

// Loads the runs of some numbers, one table after the other.
class RunLoader {
 public:
  RunLoader(Session& session, std::span<const std::int64_t> numbers)
      : session_(session), numbers_(numbers), runs_(numbers.size()) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      place_of_.emplace(numbers[i], i);
    }
  }

  std::vector<Run> load() {
    load_fields();
    for_each_value(session_, kRunParams, numbers_, [&](auto number, auto& key, auto& value) {
      of(number).params.emplace_hint(of(number).params.end(), key, value);
    });
    for_each_value(session_, kRunTags, numbers_, [&](auto number, auto& key, auto& value) {
      of(number).tags.emplace_hint(of(number).tags.end(), key, value);
    });
    load_metrics();
    load_datasets();
    load_models();
    std::erase_if(runs_, [](const Run& run) { return run.run_id.empty(); });  // not in the store
    return std::move(runs_);
  }

 private:
  // Most rows of a run come one after the other.
  Run& of(std::int64_t number) {
    if (number != last_number_) {
      last_place_ = place_of_.at(number);
      last_number_ = number;
    }
    return runs_[last_place_];
  }

  void load_fields() {
    for_each_row<RunFields>(
        session_, numbers_,
        "r.number, r.run_id, r.experiment_id, e.artifact_location, r.name, r.user_id, r.status, "
        "r.lifecycle_stage, r.start_time_ms, r.end_time_ms",
        "runs r JOIN experiments e ON e.experiment_id = r.experiment_id WHERE r.number = n.number",
        [&](const RunFields& row) {
          Run& run = of(row.number);
          run.run_id = row.run_id;
          run.experiment_id = row.experiment;
          run.experiment_folder = row.folder;
          run.name = row.name;
          run.user_id = row.user_id;
          run.status = status_of(row.status);
          run.lifecycle_stage = parse_stage(row.stage);
          run.start_time_ms = row.start;
          if (row.has_end == soci::i_ok) {
            run.end_time_ms = row.end;
          }
        });
  }

  void load_metrics() {
    for_each_row<LatestMetric>(
        session_, numbers_, "run, key, value, is_nan, timestamp_ms, step",
        "run_latest_metrics WHERE run = n.number", [&](const LatestMetric& row) {
          auto& metrics = of(row.run).metrics;
          metrics.emplace_hint(metrics.end(), row.key,
                               Metric{row.key, metric_from_columns(row.value, row.is_nan),
                                      row.timestamp_ms, row.step});
        });
  }

  void load_datasets() {
    std::map<std::pair<std::int64_t, std::int64_t>, DatasetInput> found;
    for_each_row<DatasetOfRun>(
        session_, numbers_,
        "r.run, r.dataset, d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile",
        "run_datasets r JOIN datasets d ON d.dataset = r.dataset WHERE r.run = n.number",
        [&](const DatasetOfRun& row) {
          found[{row.run, row.dataset}].dataset = row.info;
        });
    if (found.empty()) {
      return;
    }
    for_each_row<DatasetTag>(session_, numbers_, "run, dataset, key, value",
                             "run_dataset_tags WHERE run = n.number", [&](const DatasetTag& row) {
                               found.at({row.run, row.dataset}).tags[row.key] = row.value;
                             });
    for (auto& [place, input] : found) {
      of(place.first).dataset_inputs.push_back(std::move(input));
    }
  }

  void load_models() {
    for_each_row<ModelOfRun>(
        session_, numbers_, "run, direction, model_id, step",
        "run_models WHERE run = n.number ORDER BY run, direction, step, model_id",
        [&](const ModelOfRun& row) {
          Run& run = of(row.run);
          (row.direction == "input" ? run.model_inputs : run.model_outputs)
              .push_back({row.model_id, row.step});
        });
  }

  Session& session_;
  std::span<const std::int64_t> numbers_;
  std::vector<Run> runs_;
  std::unordered_map<std::int64_t, std::size_t> place_of_;
  std::int64_t last_number_ = -1;  // of no run
  std::size_t last_place_ = 0;
};

}  // namespace

std::vector<Run> load_runs(Session& session, std::span<const std::int64_t> numbers) {
  constexpr std::size_t kAtOnce = 5000;  // whose rows are in memory
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
