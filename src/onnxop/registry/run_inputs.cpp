// What runs read and made: data sets and logged models.

#include "onnxop/base/error.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// MLflow's limits, in characters.
constexpr std::size_t kName = 500;
constexpr std::size_t kDigest = 36;
constexpr std::size_t kSourceType = 36;
constexpr std::size_t kSource = 65'535;
constexpr std::size_t kSchema = 1'048'575;
constexpr std::size_t kProfile = 16'777'215;
constexpr std::size_t kTagKey = 255;
constexpr std::size_t kTagValue = 500;

void check_dataset(const DatasetInput& input) {
  const DatasetInfo& dataset = input.dataset;
  check_key("data set", dataset.name, kName);
  check_key("data set's digest", dataset.digest, kDigest);
  check_value("source type of data set", dataset.name, dataset.source_type, kSourceType);
  check_value("source of data set", dataset.name, dataset.source, kSource);
  check_value("schema of data set", dataset.name, dataset.schema, kSchema);
  check_value("profile of data set", dataset.name, dataset.profile, kProfile);
  for (const auto& [key, value] : input.tags) {
    check_key("tag of a data set", key, kTagKey);
    check_value("tag of a data set", key, value, kTagValue);
  }
}

void check_models(const std::vector<RunModel>& models) {
  for (const RunModel& model : models) {
    check_key("logged model", model.model_id, RunLimits::kKey);
  }
}

// The number of the experiment's data set of that name and digest; made if it is not there.
std::int64_t find_or_add_dataset(Session& session, std::int64_t experiment_id,
                                 const DatasetInfo& dataset) {
  const long long experiment = experiment_id;
  long long number = 0;
  session << "SELECT dataset FROM datasets WHERE experiment_id = :experiment AND name = :name AND "
             "digest = :digest",
      use(experiment), use(dataset.name), use(dataset.digest), into(number);
  if (session.got_data()) {
    return number;
  }
  session << "SELECT COALESCE(MAX(dataset), 0) + 1 FROM datasets", into(number);
  session << "INSERT INTO datasets (dataset, experiment_id, name, digest, source_type, source, "
             "schema_text, profile) VALUES (:dataset, :experiment, :name, :digest, :type, :source, "
             ":schema, :profile)",
      use(number), use(experiment), use(dataset.name), use(dataset.digest),
      use(dataset.source_type), use(dataset.source), use(dataset.schema), use(dataset.profile);
  return number;
}

void add_dataset_input(Session& session, const RunRow& run, const DatasetInput& input) {
  const long long number = run.number;
  const long long dataset = find_or_add_dataset(session, run.experiment_id, input.dataset);
  session << "INSERT INTO run_datasets (run, dataset) VALUES (:run, :dataset) "
             "ON CONFLICT (run, dataset) DO NOTHING",
      use(number), use(dataset);
  for (const auto& [key, value] : input.tags) {
    session << "INSERT INTO run_dataset_tags (run, dataset, key, value) VALUES (:run, :dataset, "
               ":key, :value) ON CONFLICT (run, dataset, key) DO UPDATE SET value = excluded.value",
        use(number), use(dataset), use(key), use(value);
  }
}

void add_models(Session& session, std::int64_t run, const std::string& direction,
                const std::vector<RunModel>& models) {
  const long long number = run;
  for (const RunModel& model : models) {
    const long long step = model.step;
    session << "INSERT INTO run_models (run, direction, model_id, step) VALUES (:run, :direction, "
               ":model, :step) ON CONFLICT (run, direction, model_id) DO UPDATE SET "
               "step = excluded.step",
        use(number), use(direction), use(model.model_id), use(step);
  }
}

}  // namespace

void Runs::log_inputs(std::string_view run_id, const std::vector<DatasetInput>& datasets,
                      const std::vector<RunModel>& models) {
  for (const DatasetInput& input : datasets) {
    check_dataset(input);
  }
  check_models(models);
  core_.database.write([&](Session& session) {
    const RunRow run = find_active_run(session, core_, run_id);
    for (const DatasetInput& input : datasets) {
      add_dataset_input(session, run, input);
    }
    add_models(session, run.number, "input", models);
  });
}

void Runs::log_outputs(std::string_view run_id, const std::vector<RunModel>& models) {
  check_models(models);
  core_.database.write([&](Session& session) {
    add_models(session, find_active_run(session, core_, run_id).number, "output", models);
  });
}

}  // namespace onnxop
