// Deleted experiments that go for good.

#include <limits>
#include <utility>

#include "onnxop/base/format.h"
#include "onnxop/registry/artifact_rows.h"
#include "onnxop/registry/experiments.h"
#include "onnxop/registry/logged_model_gc.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_gc.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/version_needs.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

struct DeletedExperiment {
  long long id = 0;
  std::string folder;
};

// Those deleted before that time, or the one of them with that number (0: all).
std::vector<DeletedExperiment> find_deleted(Session& session,
                                            std::optional<std::int64_t> deleted_before_ms,
                                            std::int64_t id = 0) {
  const std::string deleted(lifecycle_stage_name(LifecycleStage::kDeleted));
  const long long before = deleted_before_ms.value_or(std::numeric_limits<long long>::max());
  std::vector<DeletedExperiment> found;
  DeletedExperiment row;
  // A deleted experiment is not changed: its updated_ms is the time of its deletion.
  soci::statement select =
      (session.prepare << "SELECT experiment_id, artifact_location FROM experiments WHERE "
                          "lifecycle_stage = :stage AND updated_ms < :before"
                       << (id == 0 ? "" : format(" AND experiment_id = {}", id))
                       << " ORDER BY experiment_id",
       use(deleted), use(before), into(row.id), into(row.folder));
  select.execute();
  while (select.fetch()) {
    found.push_back(row);
  }
  return found;
}

bool has_runs(Session& session, long long experiment) {
  long long runs = 0;
  session << "SELECT COUNT(*) FROM runs WHERE experiment_id = :id", use(experiment), into(runs);
  return runs > 0;
}

std::vector<DoomedModel> models_of(Session& session, long long experiment) {
  return find_doomed_models(session, format("m.experiment_id = {}", experiment));
}

std::vector<NeededByVersions> needed_models(Session& session, long long experiment) {
  std::vector<NeededByVersions> needed;
  for (const DoomedModel& model : models_of(session, experiment)) {
    if (auto versions = versions_that_need_model(session, model.model_id); !versions.empty()) {
      needed.push_back({model.model_id, std::move(versions)});
    }
  }
  return needed;
}

void remove_rows(Session& session, const DeletedExperiment& experiment) {
  for (const DoomedModel& model : models_of(session, experiment.id)) {
    remove_logged_model(session, model);
  }
  if (experiment.folder == format("{}", experiment.id)) {  // its own
    remove_artifacts_below(session, experiment.folder);
  }
  session << "INSERT INTO last_numbers (what, number) SELECT 'experiment', MAX(experiment_id) FROM "
             "experiments WHERE true ON CONFLICT (what) DO UPDATE SET number = excluded.number "
             "WHERE excluded.number > last_numbers.number";
  for (const std::string_view table : {"datasets", "experiment_tags", "experiments"}) {
    session << "DELETE FROM " << table << " WHERE experiment_id = :id", use(experiment.id);
  }
}

template <typename T>
void append(const std::vector<T>& more, std::vector<T>& to) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

RemovedExperiments Experiments::gc(std::optional<std::int64_t> deleted_before_ms) {
  RemovedExperiments removed;
  const auto doomed = core_.database.read(
      [&](Session& session) { return find_deleted(session, deleted_before_ms); });
  for (const DeletedExperiment& experiment : doomed) {
    const RemovedForGood runs = remove_deleted_runs(
        core_, {.before_ms = deleted_before_ms, .experiment_id = experiment.id});
    append(runs.ids, removed.run_ids);
    append(runs.kept, removed.kept_runs);
    core_.database.write([&](Session& session) {
      if (find_deleted(session, deleted_before_ms, experiment.id).empty()) {
        return;
      }
      const auto models = needed_models(session, experiment.id);
      append(models, removed.kept_models);
      if (!runs.kept.empty() || !models.empty()) {
        removed.kept_experiment_ids.push_back(experiment.id);
      } else if (!has_runs(session, experiment.id)) {
        remove_rows(session, experiment);
        removed.experiment_ids.push_back(experiment.id);
      }
    });
  }
  return removed;
}

}  // namespace onnxop
